"""Zero-inflated Poisson experts: counts, some of whose zeros have another cause."""

import numpy as np
from scipy.special import expit, pdtr, pdtrik

from emmd.core.protocols.counts import Counts
from emmd.fits.exposed_poisson import exposed_poisson_fit

_RARE = 1e-6
"""The share of other zeros below which there are none: EM would near 0 without end, by one factor a step."""

_NEVER = 40.0
"""The log odds of counting that stand for no other zeros: their share is 0 in double precision."""


class ZeroInflatedPoisson(Counts):
    """y | x ~ Poisson(e^u), u = x'beta, with odds e^rho; else y = 0 (Lambert 1992).

    What nobody sees is w, 1 for a row that counts. With it, T = (y, w), nu = (u, rho - e^u) and
    a(nu) = log(1 + exp(nu_2 + e^{nu_1})).

    References
    ----------
    Lambert, "Zero-inflated Poisson regression", Technometrics 34, 1992.
    """

    name = "zero_inflated_poisson"
    dispersion = "free"
    dispersion_name = "odds of counting"
    n_statistics = 2
    hidden = True

    def statistics(self, y):
        """Return (y, w), w = 1/2 for zeros, where nothing is known of them."""
        return np.column_stack([y, np.where(y > 0, 1.0, 0.5)])

    def log_numerator(self, y, nu):
        """Return the log of the density of (y, w) without e^{-a}, summed over w."""
        zero = np.log1p(np.exp(nu[:, 1]))
        return np.where(y > 0, nu[:, 0] * y + nu[:, 1] + self.log_base(y), zero)

    def expected_statistics(self, y, xi):
        """Return (y, P(w = 1 | y))."""
        return np.column_stack([y, self._counts(y, xi)])

    @staticmethod
    def _counts(y, xi):
        return np.where(y > 0, 1.0, expit(xi[:, 1] - np.exp(xi[:, 0])))

    def log_partition(self, nu):
        """Return a(nu)."""
        return np.log1p(np.exp(nu[:, 1] + np.exp(nu[:, 0])))

    @staticmethod
    def _parts(nu):
        m = np.exp(nu[:, 0])
        return m, expit(nu[:, 1] + m)

    @staticmethod
    def _parts_at(xi):
        return np.exp(xi[:, 0]), expit(xi[:, 1])

    def mean(self, nu):
        """Return (E y, E w)."""
        return self._mean(*self._parts(nu))

    def mean_at(self, xi):
        """Return the same with the odds as they are, not as what is left of rho - m."""
        return self._mean(*self._parts_at(xi))

    @staticmethod
    def _mean(m, share):
        return np.column_stack([share * m, share])

    def variance(self, nu):
        """Return Cov(T)."""
        return self._variance(*self._parts(nu))

    def variance_at(self, xi):
        """Return the same as `mean_at` does."""
        return self._variance(*self._parts_at(xi))

    @staticmethod
    def _variance(m, share):
        spread = share * (1.0 - share)
        rows = [[spread * m**2 + share * m, spread * m], [spread * m, spread]]
        return np.array(rows).transpose(2, 0, 1)

    def natural(self, xi):
        """Return (u, rho - e^u)."""
        return np.column_stack([xi[:, 0], xi[:, 1] - np.exp(xi[:, 0])])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho)."""
        one, zero = np.ones(len(xi)), np.zeros(len(xi))
        return np.stack([np.stack([one, -np.exp(xi[:, 0])], -1), np.stack([zero, one], -1)], -1)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho)."""
        second = np.zeros((len(xi), 2, 2, 2))
        second[:, 1, 0, 0] = -np.exp(xi[:, 0])
        return second

    def log_density(self, y, xi):
        """Return the log density, which does not cancel e^u."""
        u, rho = xi.T
        m = np.exp(u)
        count = y * u - m + rho + self.log_base(y)
        return np.where(y > 0, count, np.logaddexp(0.0, rho - m)) - np.logaddexp(0.0, rho)

    def cancellation(self, y, xi):
        """Return the sizes of the terms of `log_density`."""
        u, rho = xi.T
        m = np.exp(u)
        count = np.abs(y * u) + m + np.abs(rho) + np.abs(self.log_base(y))
        return np.where(y > 0, count, np.logaddexp(0.0, rho - m)) + np.logaddexp(0.0, rho)

    def missing(self, y, xi):
        """Return Var(w | y) vv', v = (-e^u, 1)."""
        share = self._counts(y, xi)
        slope = np.stack([-np.exp(xi[:, 0]), np.ones(len(xi))], -1)
        return (share * (1.0 - share))[:, None, None] * slope[:, :, None] * slope[:, None, :]

    def sample(self, nu, rng):
        """Draw counts."""
        m = np.exp(nu[:, 0])
        return np.where(rng.random(len(nu)) < expit(nu[:, 1] + m), rng.poisson(m), 0).astype(float)

    def prediction(self, xi):
        """Return P(w = 1) e^u."""
        return expit(xi[:, 1]) * np.exp(xi[:, 0])

    def cdf(self, y, xi):
        """Return the share of other zeros, and the Poisson's distribution function for the rest."""
        share = expit(xi[:, 1])
        counted = 1.0 - share + share * pdtr(np.maximum(np.floor(y), 0.0), np.exp(xi[:, 0]))
        return np.where(y < 0, 0.0, counted)

    def quantile(self, level, xi):
        """Return 0 up to the share of other zeros, then the Poisson's quantile."""
        share = expit(xi[:, 1])
        rest = np.maximum(level - (1.0 - share), 0.0) / share
        return np.where(rest > 0.0, np.ceil(pdtrik(rest, np.exp(xi[:, 0]))), 0.0)

    def dispersion_collapsed(self, values, floor):
        """Return False: odds that run to infinity are those of a Poisson expert."""
        return False

    def fit(self, rows, start, ridge=None):
        """Newton's method for the mean, zeros with the weight w; the odds are those of the mean of w."""
        solved = exposed_poisson_fit(rows, self, start, ridge)
        share = float(rows.mean[1])
        odds = _NEVER if share > 1.0 - _RARE else float(np.log(share / (1.0 - share)))
        return solved.x[None], odds, solved.residual, solved.curvature
