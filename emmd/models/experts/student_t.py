"""Student t experts: linear regression that outliers do not pull; degrees of freedom known or estimated."""

import numpy as np
from scipy.special import betaln, digamma, gammaln, loggamma, polygamma, stdtr, stdtrit

from emmd.core.checks import positive_number, require_ordinary
from emmd.core.protocols.family import Family
from emmd.fits.glm import log_shape
from emmd.fits.least_squares import weighted_least_squares
from emmd.rows.weighted_rows import Rows

_LOG_2PI = float(np.log(2.0 * np.pi))
_LEAST, _LARGEST = 0.1, 1e6

_GAUSSIAN = float(np.log(1e8))
"""The log degrees of freedom from which an expert is Gaussian."""


class StudentT(Family):
    """y | x = x'beta + e^{rho / 2} t, t a Student variable, as a scale mixture of normals.

    What nobody sees is the factor g ~ Gamma(df / 2, df / 2) of a row: y | x, g ~ N(u, e^rho / g).
    With it, T = (g y, g y^2, g), nu = (u, -1/2, -u^2 / 2) e^{-rho} and
    a(nu) = -log(-2 nu_2) / 2 - (df / 2) log(1 - 2 s / df), s = nu_3 - nu_1^2 / (4 nu_2), which is 0 for every
    u and rho.

    Parameters
    ----------
    df : float
        Degrees of freedom, known: 4 is a usual choice for robustness, infinitely many are Gaussian.

    References
    ----------
    Lange, Little and Taylor, "Robust statistical modeling using the t distribution", JASA 84, 1989.
    """

    name = "student_t"
    dispersion = "free"
    dispersion_name = "squared scale"
    n_statistics = 3
    precision_slope = -1.0
    hidden = True

    def __init__(self, df=4.0):
        self.df = positive_number("df", df, _LEAST, _LARGEST)

    def check_target(self, y):
        """Raise where powers of a target are not representable; zeros are."""
        require_ordinary("y", max(1.0, float(np.abs(y).max())))
        return y

    def statistics(self, y):
        """Return (y, y^2, 1): T for a row of ordinary precision, where nothing is known of it."""
        return np.column_stack([y, y * y, np.ones(len(y))])

    def log_base(self, y):
        """Return what does not depend on nu in `log_numerator`."""
        half = 0.5 * self.df
        constant = half * np.log(half) - gammaln(half) + gammaln(half + 0.5) - 0.5 * _LOG_2PI
        return np.full(len(y), constant)

    def log_numerator(self, y, nu):
        """Return the log of the density of (y, g) without e^{-a}, summed over g."""
        half = 0.5 * self.df
        power = nu[:, 0] * y + nu[:, 1] * y * y + nu[:, 2]
        return self.log_base(y) - (half + 0.5) * np.log(half - power)

    def _weight(self, y, xi):
        """Return E[g | y], the residuals, and the precision e^-rho."""
        rest, precision = y - xi[:, 0], np.exp(-xi[:, 1])
        return (self.df + 1.0) / (self.df + rest**2 * precision), rest, precision

    def expected_statistics(self, y, xi):
        """Return E[g | y] (y, y^2, 1)."""
        return self._weight(y, xi)[0][:, None] * self.statistics(y)

    def log_partition(self, nu):
        """Return a(nu)."""
        slack = nu[:, 2] - nu[:, 0] ** 2 / (4.0 * nu[:, 1])
        return -0.5 * np.log(-2.0 * nu[:, 1]) - 0.5 * self.df * np.log(1.0 - 2.0 * slack / self.df)

    def _moments(self, nu):
        """Return u, e^rho and E[g], which is 1 on the model set."""
        mean = -0.5 * nu[:, 0] / nu[:, 1]
        slack = nu[:, 2] - nu[:, 0] ** 2 / (4.0 * nu[:, 1])
        return mean, -0.5 / nu[:, 1], 1.0 / (1.0 - 2.0 * slack / self.df)

    def mean(self, nu):
        """Return E[T] = (g u, e^rho + g u^2, g) at the mean g."""
        u, variance, g = self._moments(nu)
        return np.column_stack([g * u, variance + g * u**2, g])

    def variance(self, nu):
        """Return Cov(T)."""
        u, variance, g = self._moments(nu)
        slope, zero = np.stack([u, u**2, np.ones_like(u)], -1), np.zeros_like(u)
        own = [[g * variance, 2.0 * g * u * variance, zero]]
        own += [[own[0][1], 4.0 * g * u**2 * variance + 2.0 * variance**2, zero], [zero, zero, zero]]
        spread = (2.0 / self.df * g**2)[:, None, None] * slope[:, :, None] * slope[:, None, :]
        return spread + np.array(own).transpose(2, 0, 1)

    def natural(self, xi):
        """Return (u, -1/2, -u^2 / 2) e^{-rho}."""
        u, precision = xi[:, 0], np.exp(-xi[:, 1])
        return np.column_stack([u * precision, -0.5 * precision, -0.5 * u**2 * precision])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho)."""
        u, precision = xi[:, 0], np.exp(-xi[:, 1])
        by_u = np.stack([precision, np.zeros_like(u), -u * precision], -1)
        return np.stack([by_u, -StudentT.natural(self, xi)], -1)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho)."""
        u, precision = xi[:, 0], np.exp(-xi[:, 1])
        second = np.zeros((len(xi), 3, 2, 2))
        second[:, 2, 0, 0] = -precision
        second[:, 0, 0, 1] = second[:, 0, 1, 0] = -precision
        second[:, 2, 0, 1] = second[:, 2, 1, 0] = u * precision
        second[:, :, 1, 1] = StudentT.natural(self, xi)
        return second

    def log_density(self, y, xi):
        """Return the log density of the t distribution: the statistics' form cancels digits."""
        half = 0.5 * self.df
        square = 0.5 * (y - xi[:, 0]) ** 2 * np.exp(-xi[:, 1])
        return self.log_base(y) - (half + 0.5) * np.log(half + square) - 0.5 * xi[:, 1]

    def score(self, y, xi):
        """Return (g r e^-rho, (g r^2 e^-rho - 1) / 2) at g = E[g | y], r the residual."""
        g, rest, precision = self._weight(y, xi)
        by_u = g * rest * precision
        return np.column_stack([by_u, 0.5 * (rest * by_u - 1.0)])

    def curvature(self, y, xi):
        """Return [[1, r], [r, r^2 / 2]] g e^-rho at g = E[g | y]."""
        g, rest, precision = self._weight(y, xi)
        one = g * precision
        rows = np.stack([one, one * rest], -1), np.stack([one * rest, 0.5 * one * rest**2], -1)
        return np.stack(rows, -2)

    def missing(self, y, xi):
        """Return Var(g | y) vv', v = (r, r^2 / 2) e^-rho."""
        _, rest, precision = self._weight(y, xi)
        spread = 2.0 * (self.df + 1.0) / (self.df + rest**2 * precision) ** 2
        slope = np.stack([rest, 0.5 * rest**2], -1) * precision[:, None]
        return spread[:, None, None] * slope[:, :, None] * slope[:, None, :]

    def expected_curvature(self, xi):
        """Return diag(e^-rho, 1/2)."""
        result = np.zeros((len(xi), 2, 2))
        result[:, 0, 0], result[:, 1, 1] = np.exp(-xi[:, 1]), 0.5
        return result

    def cancellation(self, y, xi):
        """Return the sizes of the terms of `log_density`."""
        return np.abs(self.log_density(y, xi)) + 0.5 * np.abs(xi[:, 1]) + np.abs(self.log_base(y))

    def score_terms(self, y, xi):
        """Return the moduli of `score`, with its 1/2 added, not subtracted."""
        return np.abs(self.score(y, xi)) + [0.0, 1.0]

    def sample(self, nu, rng):
        """Draw targets."""
        mean, variance, _ = self._moments(nu)
        return mean + np.sqrt(variance) * rng.standard_t(self.df, len(nu))

    def unit(self, rows):
        """Return the standard deviation of y for u, and 1 for the log squared scale."""
        mean, square, _ = rows.mean
        spread = float(np.sqrt(max(square - mean**2, 0.0)))
        return np.array([spread if spread > 1e-7 * np.sqrt(square) else 1.0, 1.0])

    def prediction(self, xi):
        """Return u, the centre: the mean where there is one (df > 1)."""
        return xi[:, 0]

    def cdf(self, y, xi):
        """Return the distribution function of t at (y - u) e^{-rho / 2}."""
        return stdtr(self.df, (y - xi[:, 0]) * np.exp(-0.5 * xi[:, 1]))

    def quantile(self, level, xi):
        """Return u + e^{rho / 2} times the quantile of t."""
        return xi[:, 0] + np.exp(0.5 * xi[:, 1]) * stdtrit(self.df, level)

    def score_size(self, rows):
        """Return 1: residuals are relative to y already."""
        return 1.0

    def precision(self, dispersion):
        """Return e^-rho."""
        return np.exp(-dispersion)

    def fit(self, rows, start, ridge=None):
        """Least squares with the weights g; the squared scale is the mean of g r^2 over all rows."""
        if not isinstance(rows, Rows):
            return super().fit(rows, start, ridge)
        first, second, g = rows.statistics.T
        weighted = Rows(rows.design, np.column_stack([first / g, second / g]), rows.weights * g)
        coefficients, square, residual, curvature = weighted_least_squares(weighted, ridge)
        pull = 0.0 if ridge is None else ridge @ coefficients**2
        # an exact fit has log squared scale -inf, which the model names as a collapse
        with np.errstate(divide="ignore"):
            dispersion = float(np.log((square * weighted.mass + pull) / rows.mass))
        return coefficients[None], dispersion, residual, curvature


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

    def natural_terms(self, y, xi):
        """Return the sizes of the terms, those of the Gamma functions too."""
        half, (known, unknown) = self._half(xi), self._logs(y, xi)
        gammas = np.abs(gammaln(half)) + np.abs(gammaln(half + 0.5))
        return super().natural_terms(y, xi) + gammas + half * unknown + (half + 0.5) * known

    def statistic_terms(self, y, xi):
        """Return the sizes, with those of the logs and digamma functions that E[log g] is a difference of."""
        posterior, mean = super().statistic_terms(y, xi)
        known, unknown = self._logs(y, xi)
        return np.column_stack([posterior[:, :3], known]), np.column_stack([mean[:, :3], unknown])

    def _logs(self, y, xi):
        """Return the sizes of the terms of E[log g | y] and of E[log g]."""
        half, (_, rest, precision) = self._half(xi), self._weight(y, xi)
        known = np.abs(digamma(half + 0.5)) + np.abs(np.log(half + 0.5 * rest**2 * precision))
        return known, np.abs(digamma(half)) + np.abs(np.log(half))

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
