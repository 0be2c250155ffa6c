"""Multinomial logistic regression with soft labels, the last class as reference: a gate's M-step."""

import numpy as np

from emmd.fits.logistic import fit_logistics
from emmd.fits.newton import newton_by_values, newton_on_demand, newton_results
from emmd.fits.potentials import Softplus
from emmd.kernels.rows.reduce import shares, sum_rows
from emmd.kernels.solvers.multinomial import (
    assemble_hessian,
    shared_solve_softmax,
    softmax_cost,
    softmax_rows,
    solve_softmax,
)
from emmd.rows.design import unpack_symmetric
from emmd.rows.weighted_rows import Rows


def with_reference(logits):
    """Return the logits with 0 for the last class, shape (K, n)."""
    return np.concatenate([logits, np.zeros_like(logits[:1])])


def log_softmax(logits):
    """Return the log probabilities of K classes, shape (K, n), for logits of K - 1, shape (K - 1, n)."""
    full = with_reference(logits)
    largest = full.real.max(axis=0)
    return full - (largest + np.log(np.exp(full - largest).sum(axis=0)))


def fit_multinomial(rows, start, form=None):
    """Minimise ``E[logsumexp(W x, 0) - sum_k r_k w_k' x] + w' form w / 2`` over W.

    Parameters
    ----------
    rows : RowSums
        The features, labels r of shape (K, n) whose columns sum to 1, and weights with
        sum 1.
    start : ndarray of shape (K - 1, d)
    form : ndarray of shape ((K - 1) d, (K - 1) d), optional
        Of a ridge penalty.

    Returns
    -------
    NewtonResult
        With ``x`` of length (K - 1) d.
    """
    if _logistic(rows, start, form):
        return Softplus().m_step(rows.design, rows.statistics[0], start[0])
    flat, form = start.ravel(), np.zeros((start.size, start.size)) if form is None else form
    return fit_multinomial_from(rows, start, _derivatives(rows, start.shape, form)(flat, True), form)


def _logistic(rows, start, form):
    """Return whether kernels of logistic regression do it: two classes, no penalty, rows that are here."""
    return len(start) == 1 and form is None and isinstance(rows, Rows)


def fit_multinomial_from(rows, start, sums, form=None):
    """Minimise as `fit_multinomial` does, with gradient and packed Hessian at the start known."""
    if _logistic(rows, start, form):
        return fit_logistics(rows.design, rows.statistics[:1], start, sums[np.newaxis])[0]
    free, d = start.shape
    plain = form is None and isinstance(rows, Rows)
    form = np.zeros((free * d, free * d)) if form is None else form
    evaluate, scale = _derivatives(rows, start.shape, form), np.tile(rows.design.scale, free)
    entropy, cost = np.log(free + 1.0), softmax_cost(free, d)
    if not plain:
        solved = newton_on_demand(evaluate, start.ravel(), sums, scale, entropy, cost, rows.design.crest)
    else:
        design = rows.design
        edges = shares(design.n_rows)
        solve = solve_softmax if len(edges) == 2 else shared_solve_softmax
        features = edges, design.XB, rows.statistics, design.weights, design.scale, design.crest
        (solved,) = newton_results(*solve(*features, start.ravel(), sums))
    if solved.solved:
        return solved

    def by_values(flat):
        found = evaluate(flat, True)
        hessian = unpack_symmetric(found[free * d :], free * d)
        return _value(rows, flat.reshape(start.shape), form), found[: free * d], hessian

    return newton_by_values(by_values, solved.x, scale, value_at_zero=entropy)


def _value(rows, W, form):
    return 0.5 * W.ravel() @ form @ W.ravel() + rows.add_up(_loss, W)


def _loss(rows, W):
    logits = np.array([rows.design.predict(row) for row in W])
    return -np.sum(rows.weights * (rows.statistics * log_softmax(logits)).sum(axis=0))


def _sums(rows, W, width):
    arguments = rows.design.XB, W, rows.statistics, rows.design.weights
    return sum_rows(softmax_rows, rows.design.n_rows, width, *arguments)


def _derivatives(rows, shape, form):
    """Return ``(w, with_hessian) -> [gradient, packed Hessian]`` or the gradient alone."""
    free, d = shape
    blocks, packed_form = free * (free + 1) // 2 * (d * (d + 1) // 2), form[np.triu_indices(free * d)]

    def evaluate(flat, with_hessian):
        sums = rows.add_up(_sums, flat.reshape(shape), free * d + (blocks if with_hessian else 0))
        if with_hessian:
            sums = assemble_hessian(sums, free, d)
            sums[free * d :] += packed_form
        sums[: free * d] += form @ flat
        return sums

    return evaluate
