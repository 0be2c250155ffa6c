"""Student t experts whose degrees of freedom are estimated, one number per expert."""

import numpy as np
from scipy.special import betaln, digamma, loggamma, polygamma, stdtr, stdtrit

from emmd.fits.glm import log_shape
from emmd.models.experts.student_t import StudentT
from emmd.rows.weighted_rows import Rows

_LOG_2PI = float(np.log(2.0 * np.pi))
_GAUSSIAN = float(np.log(1e8))
"""The log degrees of freedom from which an expert is Gaussian."""


class StudentTFree(StudentT):
    """y | x = x'beta + e^{rho / 2} t, t a Student variable with df = e^delta, as a scale mixture of normals.

    With the factor g ~ Gamma(h, h), h = df / 2, of a row: T = (g y, g y^2, g, log g),
    nu = (u e^-rho, -e^-rho / 2, -u^2 e^-rho / 2 - h, h) and
    a(nu) = -log(-2 nu_2) / 2 + log Gamma(nu_4) - nu_4 log(nu_1^2 / (4 nu_2) - nu_3).

    References
    ----------
    Peel and McLachlan, "Robust mixture modelling using the t distribution", Statistics and Computing 10,
    2000.
    """

    name = "student_t_df"
    n_dispersion = 2
    n_statistics = 4

    def __init__(self):
        pass

    @staticmethod
    def _half(xi):
        return 0.5 * np.exp(xi[:, 2])

    def statistics(self, y):
        """Return (y, y^2, 1, -1/4): T for a row of ordinary precision, with the spread of df = 4 or so."""
        return np.column_stack([y, y * y, np.ones(len(y)), np.full(len(y), -0.25)])

    def log_base(self, y):
        """Return -log(2 pi) / 2."""
        return np.full(len(y), -0.5 * _LOG_2PI)

    def log_numerator(self, y, nu):
        """Return the log of the density of (y, g) without e^{-a}, summed over g."""
        power, shape = nu[:, 0] * y + nu[:, 1] * y * y + nu[:, 2], nu[:, 3] + 0.5
        return loggamma(shape) - shape * np.log(-power) + self.log_base(y)

    def _weight(self, y, xi):
        rest, precision, half = y - xi[:, 0], np.exp(-xi[:, 1]), self._half(xi)
        return (half + 0.5) / (half + 0.5 * rest**2 * precision), rest, precision

    def expected_statistics(self, y, xi):
        """Return (E[g | y] (y, y^2, 1), E[log g | y])."""
        g, rest, precision = self._weight(y, xi)
        half = self._half(xi)
        log_g = digamma(half + 0.5) - np.log(half + 0.5 * rest**2 * precision)
        return np.column_stack([g * y, g * y * y, g, log_g])

    @staticmethod
    def _rate(nu):
        return 0.25 * nu[:, 0] ** 2 / nu[:, 1] - nu[:, 2]

    def log_partition(self, nu):
        """Return a(nu)."""
        shape = loggamma(nu[:, 3]) - nu[:, 3] * np.log(self._rate(nu))
        return shape - 0.5 * np.log(-2.0 * nu[:, 1])

    def _moments(self, nu):
        return -0.5 * nu[:, 0] / nu[:, 1], -0.5 / nu[:, 1], nu[:, 3] / self._rate(nu)

    def mean(self, nu):
        """Return E[T]."""
        u, variance, g = self._moments(nu)
        log_g = digamma(nu[:, 3]) - np.log(self._rate(nu))
        return np.column_stack([g * u, variance + g * u**2, g, log_g])

    def variance(self, nu):
        """Return Cov(T)."""
        (u, variance, g), rate, zero = self._moments(nu), self._rate(nu), np.zeros(len(nu))
        slope = np.stack([u, u**2, np.ones_like(u), zero], -1)
        by_log = np.stack([zero, zero, zero, np.ones_like(u)], -1)
        result = _outer(g / rate, slope, slope) + _outer(polygamma(1, nu[:, 3]), by_log, by_log)
        cross = _outer(1.0 / rate, slope, by_log)
        result += cross + cross.transpose(0, 2, 1)
        result[:, 0, 0] += g * variance
        result[:, 0, 1] += 2.0 * g * u * variance
        result[:, 1, 0] += 2.0 * g * u * variance
        result[:, 1, 1] += 4.0 * g * u**2 * variance + 2.0 * variance**2
        return result

    def natural(self, xi):
        """Return nu."""
        half = self._half(xi)
        known = super().natural(xi)
        return np.column_stack([known[:, :2], known[:, 2] - half, half])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho, delta)."""
        half, zero = self._half(xi), np.zeros((len(xi), 1, 2))
        known = np.concatenate([super().natural_jacobian(xi), zero], axis=1)
        own = np.stack([0.0 * half, 0.0 * half, -half, half], -1)
        return np.concatenate([known, own[:, :, None]], axis=2)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho, delta)."""
        second = np.zeros((len(xi), 4, 3, 3))
        second[:, :3, :2, :2] = super().natural_curvature(xi)
        half = self._half(xi)
        second[:, 2, 2, 2], second[:, 3, 2, 2] = -half, half
        return second

    def log_density(self, y, xi):
        """Return the log density; a Beta function takes the place of two Gamma functions that cancel."""
        half = self._half(xi)
        square = 0.5 * (y - xi[:, 0]) ** 2 * np.exp(-xi[:, 1])
        constant = -betaln(half, 0.5) - 0.5 * (np.log(2.0 * half) + xi[:, 1])
        return constant - (half + 0.5) * np.log1p(square / half)

    def score(self, y, xi):
        """Return that of known degrees of freedom, and h (E[log g - g | y] + 1 - digamma(h) + log h)."""
        half, means = self._half(xi), self.expected_statistics(y, xi)
        own = half * (means[:, 3] - means[:, 2] + 1.0 - (digamma(half) - np.log(half)))
        return np.column_stack([super().score(y, xi), own])

    def curvature(self, y, xi):
        """Return minus the mean second derivatives of log p(y, g)."""
        half, result = self._half(xi), np.zeros((len(xi), 3, 3))
        result[:, :2, :2] = super().curvature(y, xi)
        result[:, 2, 2] = half**2 * polygamma(1, half) - half - self.score(y, xi)[:, 2]
        return result

    def missing(self, y, xi):
        """Return J' Cov(g, log g | y) J: g given y is Gamma(h + 1/2, h + r^2 e^-rho / 2)."""
        _, rest, precision = self._weight(y, xi)
        half, zero = self._half(xi), np.zeros(len(xi))
        rate = half + 0.5 * rest**2 * precision
        slope = np.stack([rest * precision, 0.5 * rest**2 * precision, -half], -1)
        by_log = np.stack([zero, zero, half], -1)
        cross = _outer(1.0 / rate, slope, by_log)
        own = _outer((half + 0.5) / rate**2, slope, slope)
        return own + cross + cross.transpose(0, 2, 1) + _outer(polygamma(1, half + 0.5), by_log, by_log)

    def expected_curvature(self, xi):
        """Return diag(e^-rho, 1/2, h^2 digamma'(h) - h)."""
        half, result = self._half(xi), np.zeros((len(xi), 3, 3))
        result[:, :2, :2] = super().expected_curvature(xi)
        result[:, 2, 2] = half**2 * polygamma(1, half) - half
        return result

    def cancellation(self, y, xi):
        """Return the sizes of the terms of `log_density`."""
        half = self._half(xi)
        constant = np.abs(betaln(half, 0.5)) + 0.5 * np.abs(np.log(2.0 * half) + xi[:, 1])
        return 2.0 * constant + np.abs(self.log_density(y, xi))

    def score_terms(self, y, xi):
        """Return the moduli of the terms of the score."""
        half, means = self._half(xi), self.expected_statistics(y, xi)
        log_half = np.abs(digamma(half)) + np.abs(np.log(half))
        own = half * (np.abs(means[:, 3]) + means[:, 2] + 1.0 + log_half)
        return np.column_stack([np.abs(StudentT.score(self, y, xi)) + [0.0, 1.0], own])

    def sample(self, nu, rng):
        """Draw targets."""
        mean, variance, _ = self._moments(nu)
        return mean + np.sqrt(variance) * rng.standard_t(2.0 * nu[:, 3])

    def unit(self, rows):
        """Return the standard deviation of y for u, and 1 for the logs."""
        mean, square = rows.mean[:2]
        spread = float(np.sqrt(max(square - mean**2, 0.0)))
        return np.array([spread if spread > 1e-7 * np.sqrt(square) else 1.0, 1.0, 1.0])

    def cdf(self, y, xi):
        """Return the distribution function of t at (y - u) e^{-rho / 2}."""
        return stdtr(np.exp(xi[:, 2]), (y - xi[:, 0]) * np.exp(-0.5 * xi[:, 1]))

    def quantile(self, level, xi):
        """Return u + e^{rho / 2} times the quantile of t."""
        return xi[:, 0] + np.exp(0.5 * xi[:, 1]) * stdtrit(np.exp(xi[:, 2]), level)

    def dispersion_collapsed(self, values, floor):
        """Return whether an expert fits its rows exactly."""
        return bool((values[..., 0] < floor).any())

    def fit(self, rows, start, ridge=None):
        """Least squares with the weights g, then one equation for the degrees of freedom."""
        known = Rows(rows.design, rows.statistics[:, :3], rows.weights)
        coefficients, scale, residual, curvature = super().fit(known, start, ridge)
        g, log_g = rows.mean[2:]
        delta = min(np.log(2.0) + log_shape(float(g - log_g) - 1.0), _GAUSSIAN)
        return coefficients, np.array([scale, delta]), residual, curvature

    def reported(self, dispersion, scale=1.0):
        """Return the squared scales and the degrees of freedom, each of shape (K,)."""
        return {"dispersion": np.exp(dispersion[:, 0]) * scale**2, "df": np.exp(dispersion[:, 1])}

    def inside(self, reported, scale=1.0):
        """Undo `reported`."""
        return np.log(np.column_stack([reported["dispersion"] / scale**2, reported["df"]]))

    def reported_terms(self, targets):
        """Return the squared scale and the degrees of freedom."""
        return [(self.dispersion_name, "dispersion", (), True), ("degrees of freedom", "df", (), True)]


def _outer(weights, left, right):
    return weights[:, None, None] * left[:, :, None] * right[:, None, :]
