"""Predictors that are linear in the parameters: which entries of theta, times which features.

A mixture's log joint depends on theta through predictors only: each expert's
linear predictors and dispersion, and the gate's logits. A block says which
entries of theta make up one predictor; derivatives in the predictors are
pulled back to theta block by block.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Block:
    """One predictor.

    Attributes
    ----------
    entries : ndarray of int
        Its parameters in theta.
    features : str
        ``expert``, ``gate`` or ``constant``: what multiplies them.
    fixed : ndarray or None
        Coefficients that are known; `entries` is then empty.
    """

    entries: np.ndarray
    features: str
    fixed: np.ndarray | None = None

    def coefficients(self, theta):
        """Return what multiplies the features."""
        return theta[self.entries] if self.fixed is None else self.fixed


def free(blocks):
    """Return positions and blocks of the predictors that have parameters."""
    return [(a, block) for a, block in enumerate(blocks) if block.fixed is None]


def predictor(designs, block, theta):
    """Return one predictor, shape (n,)."""
    design = designs[block.features]
    if design is None:
        return np.full(designs["expert"].n_rows, block.coefficients(theta)[0])
    return design.predict(block.coefficients(theta))


def pull_back(designs, blocks, slopes, n_params):
    """Return ``sum_blocks X_block' slopes_block``, shape (p,).

    Parameters
    ----------
    designs : dict of str to Design or None
    blocks : list of Block
    slopes : ndarray of shape (len(blocks), n)
        Weighted derivatives in each predictor.
    n_params : int
    """
    gradient = np.zeros(n_params)
    for a, block in free(blocks):
        design, slope = designs[block.features], slopes[a]
        # blocks may share parameters (one variance for all experts): their derivatives add
        np.add.at(gradient, block.entries, slope.sum() if design is None else design.moment(slope))
    return gradient


def pull_back_second(designs, blocks, curvature, n_params):
    """Return ``sum X_a' diag(curvature_ab) X_b`` over pairs of blocks, shape (p, p).

    Parameters
    ----------
    curvature : callable
        ``(a, b) -> ndarray of shape (n,)`` or None when the pair does not interact;
        called for a <= b.
    """
    hessian = np.zeros((n_params, n_params))
    for a, left in free(blocks):
        for b, right in free(blocks):
            values = curvature(a, b) if a <= b else None
            if values is None:
                continue
            part = _cross(designs, left.features, right.features, values)
            np.add.at(hessian, np.ix_(left.entries, right.entries), part)
            if b != a:
                np.add.at(hessian, np.ix_(right.entries, left.entries), part.T)
    return hessian


def _cross(designs, left, right, values):
    first, second = designs[left], designs[right]
    if first is None and second is None:
        return np.array([[values.sum()]])
    if second is None:
        return first.moment(values)[:, None]
    if first is None:
        return second.moment(values)[None, :]
    if first is second:
        return first.gram(values)
    # different features: columns of one at a time, so that no (n, d) product is kept
    return np.array([second.moment(values * row) for row in first.X.T])
