"""Negative binomial experts with a log link: counts that vary more than Poisson's."""

import numpy as np
from scipy.special import betainc, betaln, digamma, gammaln, loggamma, nbdtrik, polygamma

from emmd.core.protocols.counts import Counts
from emmd.fits.exposed_poisson import exposed_poisson_fit
from emmd.fits.glm import digamma_gap, log_shape

_POISSON = 25.0
"""The log size from which an expert is Poisson: its variance is the mean but for 1e-11 of its square."""


class NegativeBinomial(Counts):
    """y | x with mean m = e^u, u = x'beta, and variance m + m^2 / alpha, alpha = e^rho the size.

    What nobody sees is the rate g ~ Gamma(alpha, alpha) of a row: y | x, g ~ Poisson(g m). With it,
    T = (y, g, log g), nu = (u, -e^u - alpha, alpha) and
    a(nu) = log Gamma(nu_3) - nu_3 log(-nu_2 - e^{nu_1}).
    """

    name = "negative_binomial"
    dispersion = "free"
    dispersion_name = "size"
    n_statistics = 3
    hidden = True

    def statistics(self, y):
        """Return (y, 1, -1/2): T for a row of ordinary rate, with the spread of one of size 1.5 or so."""
        return np.column_stack([y, np.ones(len(y)), np.full(len(y), -0.5)])

    def log_numerator(self, y, nu):
        """Return the log of the density of (y, g) without e^{-a}, summed over g."""
        total = y + nu[:, 2]
        return loggamma(total) - total * np.log(-nu[:, 1]) + nu[:, 0] * y + self.log_base(y)

    def expected_statistics(self, y, xi):
        """Return (y, E[g | y], E[log g | y])."""
        m, (_, total, rate) = np.exp(xi[:, 0]), self._gamma(y, xi)
        # digamma(total) - log(rate), of which large sizes leave few digits
        apart = (y - m) / rate
        ratio = np.where(apart > -0.5, np.log1p(np.maximum(apart, -0.5)), np.log(total / rate))
        return np.column_stack([y, total / rate, ratio - digamma_gap(total)])

    def log_partition(self, nu):
        """Return a(nu)."""
        return loggamma(nu[:, 2]) - nu[:, 2] * np.log(-nu[:, 1] - np.exp(nu[:, 0]))

    @staticmethod
    def _parts(nu):
        mean = np.exp(nu[:, 0])
        return mean, nu[:, 2], -nu[:, 1] - mean

    @staticmethod
    def _parts_at(xi):
        alpha = np.exp(xi[:, 1])
        return np.exp(xi[:, 0]), alpha, alpha

    def mean(self, nu):
        """Return (E y, E g, E log g)."""
        return self._mean(*self._parts(nu))

    def mean_at(self, xi):
        """Return the same with the rate as it is, not as what is left of m + alpha."""
        return self._mean(*self._parts_at(xi))

    @staticmethod
    def _mean(m, alpha, rate):
        return np.column_stack([alpha * m / rate, alpha / rate, np.log(alpha / rate) - digamma_gap(alpha)])

    def variance(self, nu):
        """Return Cov(T)."""
        return self._variance(*self._parts(nu))

    def variance_at(self, xi):
        """Return the same as `mean_at` does."""
        return self._variance(*self._parts_at(xi))

    @staticmethod
    def _variance(m, alpha, rate):
        count, cross, shape = alpha * m / rate, alpha * m / rate**2, m / rate
        rows = [[count + count * shape, cross, shape], [cross, alpha / rate**2, 1.0 / rate]]
        rows += [[shape, 1.0 / rate, polygamma(1, alpha)]]
        return np.array(rows).transpose(2, 0, 1)

    def natural(self, xi):
        """Return (u, -e^u - e^rho, e^rho)."""
        alpha = np.exp(xi[:, 1])
        return np.column_stack([xi[:, 0], -np.exp(xi[:, 0]) - alpha, alpha])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho)."""
        m, alpha = np.exp(xi[:, 0]), np.exp(xi[:, 1])
        one, zero = np.ones_like(m), np.zeros_like(m)
        return np.stack([np.stack([one, -m, zero], -1), np.stack([zero, -alpha, alpha], -1)], -1)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho)."""
        m, alpha = np.exp(xi[:, 0]), np.exp(xi[:, 1])
        second = np.zeros((len(xi), 3, 2, 2))
        second[:, 1, 0, 0], second[:, 1, 1, 1], second[:, 2, 1, 1] = -m, -alpha, alpha
        return second

    def log_density(self, y, xi):
        """Return the log density; a Beta function takes the place of three Gamma functions that cancel."""
        ways, rate, counts = self._terms(y, xi)
        return ways - rate - counts

    def cancellation(self, y, xi):
        """Return the sizes of the terms of `log_density`."""
        return sum(np.abs(term) for term in self._terms(y, xi)) + np.log(np.maximum(y, 1.0))

    @staticmethod
    def _terms(y, xi):
        alpha, gap = np.exp(xi[:, 1]), xi[:, 0] - xi[:, 1]
        # log of Gamma(y + alpha) / (Gamma(alpha) y!), which is 0 for y = 0
        ways = np.where(y > 0, -betaln(np.maximum(y, 1.0), alpha) - np.log(np.maximum(y, 1.0)), 0.0)
        return ways, alpha * np.logaddexp(0.0, gap), y * np.logaddexp(0.0, -gap)

    def natural_terms(self, y, xi):
        """Return the sizes of the terms, those of the Gamma functions too."""
        (known, unknown), (alpha, total, _) = self._logs(y, xi), self._gamma(y, xi)
        gammas = np.abs(gammaln(alpha)) + np.abs(gammaln(total))
        return super().natural_terms(y, xi) + gammas + alpha * unknown + total * known

    def statistic_terms(self, y, xi):
        """Return the sizes, with those of the logs and digamma functions that E[log g] is a difference of."""
        posterior, mean = super().statistic_terms(y, xi)
        known, unknown = self._logs(y, xi)
        return np.column_stack([posterior[:, :2], known]), np.column_stack([mean[:, :2], unknown])

    @staticmethod
    def _gamma(y, xi):
        """Return the shapes of g, without y and with it, and its rate given y."""
        alpha = np.exp(xi[:, 1])
        return alpha, y + alpha, np.exp(xi[:, 0]) + alpha

    def _logs(self, y, xi):
        """Return the sizes of the terms of E[log g | y] and of E[log g]."""
        alpha, total, rate = self._gamma(y, xi)
        known = np.abs(digamma(total)) + np.abs(np.log(rate))
        return known, np.abs(digamma(alpha)) + np.abs(np.log(alpha))

    def missing(self, y, xi):
        """Return J' Cov(T | y) J: g given y is Gamma(y + alpha, m + alpha)."""
        _, total, rate = self._gamma(y, xi)
        cross = 1.0 / rate
        rows = np.stack([total / rate**2, cross], -1), np.stack([cross, polygamma(1, total)], -1)
        jacobian = self.natural_jacobian(xi)[:, 1:]
        return np.einsum("nsq,nst,ntr->nqr", jacobian, np.stack(rows, -2), jacobian)

    def sample(self, nu, rng):
        """Draw counts."""
        m, alpha, rate = self._parts(nu)
        return rng.poisson(m * rng.gamma(alpha, 1.0 / rate)).astype(float)

    def prediction(self, xi):
        """Return e^u."""
        return np.exp(xi[:, 0])

    def cdf(self, y, xi):
        """Return the regularised incomplete Beta function at alpha / (alpha + m)."""
        alpha, share = self._share(xi)
        return np.where(y < 0, 0.0, betainc(alpha, np.maximum(np.floor(y), 0.0) + 1.0, share))

    def quantile(self, level, xi):
        """Return the inverse of the distribution function between whole numbers, rounded up."""
        alpha, share = self._share(xi)
        return np.ceil(np.maximum(nbdtrik(level, alpha, share), 0.0))

    @staticmethod
    def _share(xi):
        return np.exp(xi[:, 1]), 1.0 / (1.0 + np.exp(xi[:, 0] - xi[:, 1]))

    def dispersion_collapsed(self, values, floor):
        """Return False: a size that runs to infinity is a Poisson expert."""
        return False

    def fit(self, rows, start, ridge=None):
        """Newton's method for the mean with exposures g, free of the size; then one equation for that."""
        solved = exposed_poisson_fit(rows, self, start, ridge)
        _, rate, log_rate = rows.mean
        size = min(log_shape(float(rate - log_rate) - 1.0), _POISSON)
        return solved.x[None], size, solved.residual, solved.curvature
