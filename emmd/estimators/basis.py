"""A well-conditioned basis of the span of columns, as a triangular map from the standardised columns."""

import numpy as np
from scipy.linalg import qr, solve_triangular

ROUNDING = 1e3 * float(np.finfo(float).eps)
"""Relative to the largest entry of a column: what is left of it below that may be rounding of its entries."""

_MADE_UP = 1e-8
"""What is left of a column of size 1 that others make up: half of its digits at most."""

_DOMINANT = 0.25
"""The share of a column's sum of squares from which one value dominates the column."""

_FAR = 100.0
"""How far that value lies off, in units of the spread of all others: no two groups of ordinary values do."""


def dominated(X, weights, centre, scale):
    """Return the columns that one value dominates, such as a code for a missing value among measurements.

    Equal values count together, so that a row of weight 2 is the same row twice.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)
        With sum 1.
    centre, scale : ndarray of shape (d,)
        Mean and root mean square around it; columns of scale 0 do not count.
    """
    return np.flatnonzero(
        [scale[j] > 0 and _is_dominated(X[:, j], weights, centre[j], scale[j]) for j in range(X.shape[1])]
    )


def _is_dominated(x, weights, centre, scale):
    farthest = x[np.argmax(np.abs(x - centre))]
    code = x == farthest
    share = float(weights[code].sum())
    if share * (farthest - centre) ** 2 < _DOMINANT * scale**2 or code.all():
        return False
    rest, mass = x[~code], weights[~code] / (1.0 - share)
    middle = float(mass @ rest)
    spread = float(np.sqrt(mass @ (rest - middle) ** 2))
    # a dummy has two values, and the mean of equal ones errs by rounding
    return spread > ROUNDING * np.abs(x).max() and abs(farthest - middle) > _FAR * spread


def weighted_median(x, weights):
    """Return a value with at most half the weight on either side."""
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weights[order])
    return float(x[order[np.searchsorted(below, 0.5 * below[-1])]])


def orthogonal_basis(Z, weights, rounding, last):
    """Return the columns that span a space and the map to a basis of it, orthonormal but for rounding.

    Parameters
    ----------
    Z : ndarray of shape (n, d)
        Standardised columns.
    weights : ndarray of shape (n,)
        With sum 1.
    rounding : ndarray of shape (d,)
        What may be rounding of each column.
    last : ndarray of int
        The columns that the others are to be cleared of, and not the other way round: what a dominant entry
        of a column adds to the others drowns their values if it is subtracted from it.

    Returns
    -------
    kept : ndarray of int
        All columns, ascending, but for those that add nothing but rounding to others.
    turn : ndarray of shape (len(kept), r)
        ``Z[:, kept] @ turn`` is the basis. Of all maps to it this has the least norm: every column of it is
        orthogonal to all combinations of the columns that vanish.

    Notes
    -----
    Householder's QR loses no more digits than the columns have; a Cholesky factor of their second moment
    would lose twice as many.
    """
    weighted = np.sqrt(weights)[:, None] * Z
    order = np.concatenate([last, np.setdiff1d(np.arange(Z.shape[1]), last)])
    while len(order):
        root = qr(weighted[:, order], mode="r")[0]
        left = np.zeros(len(order))
        left[: len(root)] = np.abs(np.diag(root))
        lost = np.flatnonzero(left <= rounding[order])
        if not len(lost):
            break
        # a lost column takes a direction of rounding from those after it, which matters where few are left
        order = np.delete(order, lost if len(Z) > 2 * len(order) else lost[:1])
    chosen = np.sort(order)
    turn = np.zeros((len(order), len(order)))
    if len(order):
        signs = np.sign(np.diag(root))
        inverse = solve_triangular(root[: len(order)], np.diag(signs))
        turn[np.searchsorted(chosen, order)] = inverse
    return _with_dependent(weighted, chosen, turn)


def _with_dependent(weighted, chosen, turn):
    """Let the columns that the chosen ones make up have a say in the basis too."""
    lost = np.setdiff1d(np.arange(weighted.shape[1]), chosen)
    basis = weighted[:, chosen] @ turn
    shares = basis.T @ weighted[:, lost]
    made_up = np.linalg.norm(weighted[:, lost] - basis @ shares, axis=0) <= _MADE_UP
    lost, shares = lost[made_up], shares[:, made_up]
    if not len(lost):
        return chosen, turn
    vanishing = qr(np.vstack([-turn @ shares, np.eye(len(lost))]), mode="economic")[0]
    whole = np.vstack([turn, np.zeros((len(lost), turn.shape[1]))])
    whole -= vanishing @ (vanishing.T @ whole)
    kept = np.concatenate([chosen, lost])
    order = np.argsort(kept)
    return kept[order], whole[order]
