"""The gate's M-step: multinomial logistic regression with soft labels, the last expert as reference."""

import numpy as np

from emmd.core.newton import newton
from emmd.core.potentials import Softplus


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
    free, d = start.shape
    form = np.zeros((free * d, free * d)) if form is None else form

    def evaluate(flat):
        logits = np.array([design.predict(row) for row in flat.reshape(free, d)])
        log_p = log_softmax(logits)
        p = np.exp(log_p[:-1])
        pull = form @ flat
        value = -np.sum(design.weights * (targets * log_p).sum(axis=0)) + 0.5 * flat @ pull
        gradient = np.concatenate([design.moment(design.weights * row) for row in p - targets[:-1]]) + pull
        return value, gradient, _hessian(design, p) + form

    return newton(evaluate, start.ravel(), np.tile(design.scale, free), value_at_zero=np.log(free + 1.0))


def _hessian(design, p):
    free, d = len(p), design.n_features
    full = np.empty((free, d, free, d))
    for j in range(free):
        for k in range(j, free):
            spread = p[j] * ((j == k) - p[k])
            full[j, :, k, :] = full[k, :, j, :] = design.gram(design.weights * spread)
    return full.reshape(free * d, free * d)
