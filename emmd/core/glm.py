"""Weighted maximum likelihood in generalised linear models: Newton's method on the predictors."""

import numpy as np

from emmd.core.large_glm import large_fit
from emmd.core.newton import newton

LARGE = 100
"""Number of coefficients from which conjugate gradients take the place of Hessians."""


def canonical_fit(family, design, statistics, weights, start, ridge=None):
    """Fit the coefficients of one expert with a canonical link.

    Parameters
    ----------
    family : Family
        With ``dispersion == "none"``; its predictors are linear and its natural parameter concave.
    design : Design
    statistics : ndarray of shape (n, S)
        T(y), or a mean of it.
    weights : ndarray of shape (n,)
    start : ndarray of shape (n_linear, d)
    ridge : ndarray of shape (d,), optional
        Adds ``sum_j ridge_j coef_j^2 / 2`` for every linear predictor.

    Returns
    -------
    coefficients, None, residual, curvature
        See `Family.fit`.
    """
    mass = weights.sum()
    zero = family.natural(np.zeros((1, family.n_linear)))
    at_zero = float(family.log_partition(zero)[0] - weights @ (statistics @ zero[0]) / mass)
    if start.size >= LARGE:
        return large_fit(family, design, statistics, weights, start, ridge, at_zero)
    pull = np.zeros(start.size) if ridge is None else np.tile(ridge, len(start))

    def evaluate(flat):
        coefficients = flat.reshape(start.shape)
        nu = family.natural(predictors(design, coefficients))
        # an overflowing trial is refused by the safeguard, not by a warning
        with np.errstate(over="ignore", invalid="ignore"):
            value = weights @ (family.log_partition(nu) - np.einsum("ns,ns->n", statistics, nu))
            rest = family.mean(nu) - statistics
            spread = family.variance(nu)
        value = value + 0.5 * pull @ flat**2
        gradient = np.concatenate([design.moment(weights * column) for column in rest.T]) + pull * flat
        return value / mass, gradient / mass, (_hessian(design, weights, spread) + np.diag(pull)) / mass

    scale = np.tile(design.scale, len(start)) * family.score_size(statistics, weights)
    solved = newton(evaluate, start.ravel(), scale, value_at_zero=at_zero)
    return solved.x.reshape(start.shape), None, solved.residual, solved.curvature


def predictors(design, coefficients):
    """Return X B', shape (n, m), for coefficients of shape (m, d)."""
    return np.column_stack([design.predict(row) for row in coefficients])


def _hessian(design, weights, spread):
    m, d = spread.shape[1], design.n_features
    full = np.empty((m, d, m, d))
    for j in range(m):
        for k in range(j, m):
            block = design.gram(weights * spread[:, j, k])
            full[j, :, k, :] = block
            full[k, :, j, :] = block
    return full.reshape(m * d, m * d)
