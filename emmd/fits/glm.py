"""Weighted maximum likelihood in generalised linear models: Newton's method on the predictors."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma

from emmd.fits.large_glm import large_fit
from emmd.fits.newton import newton_by_values

LARGE = 100
"""Number of coefficients from which conjugate gradients take the place of Hessians."""

SERIES_FROM = 30.0
"""The first term that a series for large shapes leaves out is below rounding from here on."""


def canonical_fit(family, rows, start, ridge=None):
    """Fit the coefficients of one expert with a canonical link.

    Parameters
    ----------
    family : Family
        With ``dispersion == "none"``; its predictors are linear and its natural parameter concave.
    rows : RowSums
    start : ndarray of shape (n_linear, d)
    ridge : ndarray of shape (d,), optional
        Adds ``sum_j ridge_j coef_j^2 / 2`` for every linear predictor.

    Returns
    -------
    coefficients, None, residual, curvature
        See `Family.fit`.
    """
    zero = family.natural(np.zeros((1, family.n_linear)))
    at_zero = float(family.log_partition(zero)[0] - rows.mean @ zero[0])
    size = family.score_size(rows)
    if start.size >= LARGE and rows.design.offset is None:
        return large_fit(family, rows, start, ridge, at_zero, size)
    solved = fit_coefficients(rows, canonical_sums, family, start, ridge, at_zero, size)
    return solved.x.reshape(start.shape), None, solved.residual, solved.curvature


def fit_coefficients(rows, sums, family, start, ridge, value_at_zero, size=1.0):
    """Minimise a weighted convex loss of the coefficients, and its ridge, by Newton's method.

    Parameters
    ----------
    rows : RowSums
    sums : callable
        ``(rows, family, coefficients) -> [value, gradient, Hessian]``, flat, without the ridge.
    family : Family
    start : ndarray of shape (m, d)
    ridge : ndarray of shape (d,) or None
    value_at_zero : float
        Average loss at coefficients 0.
    size : float
        Of the score's terms, see `Family.score_size`.

    Returns
    -------
    NewtonResult
    """
    pull = np.zeros(start.size) if ridge is None else np.tile(ridge, len(start))

    def evaluate(flat):
        total = rows.add_up(sums, family, flat.reshape(start.shape))
        value, gradient, hessian = split_derivatives(total, start.size)
        value = value + 0.5 * pull @ flat**2
        gradient = gradient + pull * flat
        return value / rows.mass, gradient / rows.mass, (hessian + np.diag(pull)) / rows.mass

    scale = np.tile(rows.design.scale, len(start)) * size
    return newton_by_values(evaluate, start.ravel(), scale, value_at_zero=value_at_zero)


def split_derivatives(total, p):
    """Return value, gradient and Hessian for ``[value, gradient, Hessian]``, flat, in p parameters."""
    return total[0], total[1 : 1 + p], total[1 + p :].reshape(p, p)


def canonical_sums(rows, family, coefficients):
    """Return the weighted loss of a canonical expert, its gradient and its Hessian, flat."""
    design, weights = rows.design, rows.weights
    nu = family.natural(predictors(design, coefficients))
    # an overflowing trial is refused by the safeguard, not by a warning
    with np.errstate(over="ignore", invalid="ignore"):
        value = weights @ (family.log_partition(nu) - np.einsum("ns,ns->n", rows.statistics, nu))
        rest = family.mean(nu) - rows.statistics
        spread = family.variance(nu)
    moments = [design.moment(weights * column) for column in rest.T]
    return np.concatenate([[value], *moments, _hessian(design, weights, spread)])


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
    return full.ravel()


def digamma_gap(alpha: np.ndarray) -> np.ndarray:
    """Return ``log alpha - digamma(alpha)`` for real or complex alpha.

    Both share the digits that a large alpha has: from 30 on the gap is its asymptotic series.
    """
    large = np.real(alpha) >= SERIES_FROM
    near, far = np.where(large, 1.0, alpha), np.where(large, alpha, SERIES_FROM)
    q = 1.0 / (far * far)
    series = 0.5 / far + q * (1.0 / 12.0 - q * (1.0 / 120.0 - q * (1.0 / 252.0 - q / 240.0)))
    return np.where(large, series, np.log(near) - digamma(near))


def log_shape(excess: float) -> float:
    """Solve ``log alpha - digamma(alpha) = excess`` for the log of a gamma variable's shape.

    Parameters
    ----------
    excess : float
        The logarithm of the mean less the mean of the logarithm, not negative but for rounding; where it is
        0 the answer is infinite, where it is infinite the shape is 0.
    """
    if not np.isfinite(excess):
        return -excess
    if excess <= 1e-14:
        return np.inf

    def miss(rho):
        return float(digamma_gap(np.exp(rho))) / excess - 1.0

    return float(brentq(miss, -np.log(excess) - 2.0, -np.log(excess) + 1.0, xtol=1e-15, rtol=1e-15))
