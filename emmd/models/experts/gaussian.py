"""Gaussian experts: variance free per expert, shared, or known."""

import numpy as np
from scipy.special import ndtr, ndtri

from emmd.core.checks import positive_number, require_ordinary
from emmd.core.protocols.family import Family
from emmd.fits.least_squares import weighted_least_squares

_LOG_2PI = float(np.log(2.0 * np.pi))
REPRESENTABLE = 1e-300, 1e300
"""Of a variance: one over it must be a number too."""

_CONSTANT = 1e-14
"""A target whose spread is this share of its size is constant but for rounding."""


def _squares_around(rows, centre):
    return rows.weights @ (rows.statistics[:, 0] - centre) ** 2


class Gaussian(Family):
    """y | x ~ N(x'beta, e^rho): T = (y, y^2), nu = (u, -1/2) e^{-rho}, u = x'beta.

    a(nu) = -nu_1^2 / (4 nu_2) - log(-2 nu_2) / 2, h = (2 pi)^{-1/2}.

    Parameters
    ----------
    variance : "free", "shared" or float
        One variance per expert, one for all, or a known value.
    """

    name = "gaussian"
    support = "real"
    n_statistics = 2
    dispersion_name = "variance"

    def __init__(self, variance="free"):
        if isinstance(variance, str) and variance in ("free", "shared"):
            self.dispersion = variance
            self.precision_slope = -1.0
            self.known = None
        elif isinstance(variance, str):
            raise ValueError(f"variance must be 'free', 'shared' or a positive number, got {variance!r}")
        else:
            self.known = positive_number("variance", variance, *REPRESENTABLE)
            require_ordinary("variance", self.known)

    def check_target(self, y):
        """Raise where powers of a target are not representable; zeros are."""
        require_ordinary("y", max(1.0, float(np.abs(y).max())))
        return y

    def statistics(self, y):
        """Return (y, y^2)."""
        return np.column_stack([y, y * y])

    def log_base(self, y):
        """Return -log(2 pi) / 2."""
        return np.full(len(y), -0.5 * _LOG_2PI)

    def log_partition(self, nu):
        """Return -nu_1^2 / (4 nu_2) - log(-2 nu_2) / 2."""
        return -(nu[:, 0] ** 2) / (4.0 * nu[:, 1]) - 0.5 * np.log(-2.0 * nu[:, 1])

    def mean(self, nu):
        """Return (E y, E y^2)."""
        mean, variance = self._moments(nu)
        return np.column_stack([mean, variance + mean**2])

    def variance(self, nu):
        """Return Cov(y, y^2)."""
        mean, variance = self._moments(nu)
        cross = 2.0 * mean * variance
        fourth = 2.0 * variance**2 + 4.0 * mean**2 * variance
        return np.stack([np.stack([variance, cross], -1), np.stack([cross, fourth], -1)], -2)

    @staticmethod
    def _moments(nu):
        variance = -0.5 / nu[:, 1]
        return nu[:, 0] * variance, variance

    def _precision(self, xi):
        return np.exp(-xi[:, 1]) if self.known is None else np.full(len(xi), 1.0 / self.known)

    def natural(self, xi):
        """Return (u, -1/2) e^{-rho}."""
        precision = self._precision(xi)
        return np.column_stack([xi[:, 0] * precision, -0.5 * precision])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho)."""
        precision = self._precision(xi)
        zero = np.zeros_like(precision)
        by_u = np.stack([precision, zero], -1)
        if self.known is not None:
            return by_u[:, :, None]
        by_rho = np.stack([-xi[:, 0] * precision, 0.5 * precision], -1)
        return np.stack([by_u, by_rho], -1)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho)."""
        if self.known is not None:
            return None
        precision = self._precision(xi)
        second = np.zeros((len(xi), 2, 2, 2))
        second[:, 0, 0, 1] = second[:, 0, 1, 0] = -precision
        second[:, 0, 1, 1] = xi[:, 0] * precision
        second[:, 1, 1, 1] = -0.5 * precision
        return second

    def log_density(self, y, xi):
        """Return -((y - u)^2 e^{-rho} + rho + log 2 pi) / 2: the statistics' form cancels digits."""
        rho = xi[:, 1] if self.known is None else np.log(self.known)
        return -0.5 * ((y - xi[:, 0]) ** 2 * self._precision(xi) + rho + _LOG_2PI)

    def cancellation(self, y, xi):
        """Return the sizes of the three terms of `log_density`."""
        rho = xi[:, 1] if self.known is None else np.log(self.known)
        return 0.5 * ((y - xi[:, 0]) ** 2 * self._precision(xi) + np.abs(rho) + _LOG_2PI)

    def score_terms(self, y, xi):
        """Return the moduli of `score`, with its 1/2 added, not subtracted: residuals are rounded once."""
        terms = np.abs(self.score(y, xi))
        terms[:, 1:] += 1.0
        return terms

    def score(self, y, xi):
        """Return (r, (r^2 e^{-rho'} - 1) / 2) with r the residual in natural units."""
        precision = self._precision(xi)
        rest = y - xi[:, 0]
        by_u = rest * precision
        if self.known is not None:
            return by_u[:, None]
        return np.column_stack([by_u, 0.5 * (rest * by_u - 1.0)])

    def curvature(self, y, xi):
        """Return [[1, r], [r, r^2 / 2]] e^{-rho} with r = y - u."""
        precision = self._precision(xi)
        if self.known is not None:
            return precision[:, None, None]
        slope = (y - xi[:, 0]) * precision
        half = 0.5 * (y - xi[:, 0]) * slope
        return np.stack([np.stack([precision, slope], -1), np.stack([slope, half], -1)], -2)

    def sample(self, nu, rng):
        """Draw from N(mean, variance)."""
        mean, variance = self._moments(nu)
        return mean + np.sqrt(variance) * rng.standard_normal(len(nu))

    def working_target(self, y):
        """Return y where the variance is known."""
        return None if self.known is None else y

    def unit(self, rows):
        """Return the standard deviation of y for u, and 1 for the log variance."""
        mean, square = rows.mean
        spread = np.sqrt(rows.add_up(_squares_around, mean) / rows.mass)
        # around a mean that is rounded a constant target has a spread too
        varies = spread > _CONSTANT * np.sqrt(square)
        return np.array([spread if varies else 1.0, 1.0])[: self.n_predictors]

    def prediction(self, xi):
        """Return u."""
        return xi[:, 0]

    def cdf(self, y, xi):
        """Return the normal distribution function at (y - u) e^{-rho / 2}."""
        return ndtr((y - xi[:, 0]) * np.sqrt(self._precision(xi)))

    def quantile(self, level, xi):
        """Return u + e^{rho / 2} times the normal quantile."""
        return xi[:, 0] + ndtri(level) / np.sqrt(self._precision(xi))

    def score_size(self, rows):
        """Return 1: residuals are relative to y already."""
        return 1.0

    def precision(self, dispersion):
        """Return 1 / variance."""
        return np.exp(-dispersion) if self.known is None else np.full(1, 1.0 / self.known)

    def fit(self, rows, start, ridge=None):
        """Weighted least squares; the dispersion is the log of the weighted mean square residual."""
        coefficients, square, residual, curvature = weighted_least_squares(rows, ridge)
        if self.known is not None:
            return coefficients[None], None, residual, curvature
        pull = 0.0 if ridge is None else ridge @ coefficients**2 / rows.mass
        # an exact fit has log variance -inf, which the model names as a collapse
        with np.errstate(divide="ignore"):
            return coefficients[None], float(np.log(square + pull)), residual, curvature
