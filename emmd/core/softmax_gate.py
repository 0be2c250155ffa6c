"""The gate's M-step: multinomial logistic regression with soft labels, the last expert as reference."""

import numpy as np

from emmd.core.design import unpack_symmetric
from emmd.core.logistic_fit import fit_logistics
from emmd.core.newton import newton, newton_on_demand
from emmd.core.potentials import Softplus
from emmd.kernels.logistic_regression import hessian_cost
from emmd.kernels.reduce import sum_rows
from emmd.kernels.softmax_regression import assemble_hessian, softmax_rows


def log_softmax(logits):
    """Return the log probabilities of K experts, shape (K, n), for logits of K - 1, shape (K - 1, n)."""
    full = np.concatenate([logits, np.zeros_like(logits[:1])])
    largest = full.real.max(axis=0)
    return full - (largest + np.log(np.exp(full - largest).sum(axis=0)))


def fit_gate(design, targets, start, form=None):
    """Minimise ``E[logsumexp(W x, 0) - sum_k targets_k w_k' x] + w' form w / 2`` over W.

    Parameters
    ----------
    design : Design
        The gate's features and the weights.
    targets : ndarray of shape (K, n)
        Responsibilities; columns sum to 1.
    start : ndarray of shape (K - 1, d)
    form : ndarray of shape ((K - 1) d, (K - 1) d), optional
        Of a ridge penalty.

    Returns
    -------
    NewtonResult
        With ``x`` of length (K - 1) d.
    """
    if len(start) == 1 and form is None:
        return Softplus().m_step(design, targets[0], start[0])
    flat, form = start.ravel(), np.zeros((start.size, start.size)) if form is None else form
    value = _value(design, targets, form, flat)
    return fit_gate_from(design, targets, start, value, _derivatives(design, targets, form)(flat, True), form)


def fit_gate_from(design, targets, start, value, sums, form=None):
    """Minimise as `fit_gate` does, with value, gradient and packed Hessian at the start known."""
    if len(start) == 1 and form is None:
        return fit_logistics(design, targets[:1], start, np.array([value]), sums[np.newaxis])[0]
    free, d = start.shape
    form = np.zeros((free * d, free * d)) if form is None else form
    evaluate, scale = _derivatives(design, targets, form), np.tile(design.scale, free)
    # K (K - 1) / 2 Gram matrices for a Hessian
    cost = 0.5 * (free + 1) * hessian_cost(d)
    at_zero = np.log(free + 1.0)
    solved = newton_on_demand(evaluate, start.ravel(), value, sums, scale, at_zero, cost)
    if solved.solved:
        return solved

    def by_values(flat):
        found = evaluate(flat, True)
        hessian = unpack_symmetric(found[free * d :], free * d)
        return _value(design, targets, form, flat), found[: free * d], hessian

    return newton(by_values, solved.x, scale, value_at_zero=at_zero)


def _value(design, targets, form, flat):
    logits = np.array([design.predict(row) for row in flat.reshape(len(targets) - 1, -1)])
    return 0.5 * flat @ form @ flat - np.sum(design.weights * (targets * log_softmax(logits)).sum(axis=0))


def _derivatives(design, targets, form):
    """Return ``(w, with_hessian) -> [gradient, packed Hessian]`` or the gradient alone."""
    free, d = len(targets) - 1, design.n_features
    blocks, packed_form = free * (free + 1) // 2 * (d * (d + 1) // 2), form[np.triu_indices(free * d)]

    def evaluate(flat, with_hessian):
        width = free * d + (blocks if with_hessian else 0)
        arguments = design.XB, flat.reshape(free, d), targets, design.weights
        sums = sum_rows(softmax_rows, design.n_rows, width, *arguments)
        if with_hessian:
            sums = assemble_hessian(sums, free, d)
            sums[free * d :] += packed_form
        sums[: free * d] += form @ flat
        return sums

    return evaluate
