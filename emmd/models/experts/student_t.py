"""Student t experts: linear regression that outliers do not pull."""

import numpy as np
from scipy.special import gammaln, stdtr, stdtrit

from emmd.core.checks import positive_number, require_ordinary
from emmd.core.protocols.family import Family
from emmd.fits.least_squares import weighted_least_squares
from emmd.rows.weighted_rows import Rows

_LOG_2PI = float(np.log(2.0 * np.pi))
_LEAST, _LARGEST = 0.1, 1e6


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
