"""Gamma experts with a log link: positive targets, one shape per expert."""

import numpy as np
from scipy.special import digamma, gammainc, gammaincinv, loggamma, polygamma

from emmd.core.checks import require_ordinary
from emmd.core.protocols.family import Family
from emmd.fits.glm import SERIES_FROM, digamma_gap, fit_coefficients, log_shape
from emmd.kernels.maths.losses import gamma_loss


class Gamma(Family):
    """y | x ~ Gamma with mean e^u, u = x'beta, and shape alpha = e^rho.

    T = (y, log y), nu = (-alpha e^{-u}, alpha), h = 1 / y and
    a(nu) = log Gamma(nu_2) - nu_2 log(-nu_1).
    """

    name = "gamma"
    support = "positive"
    dispersion = "free"
    n_statistics = 2
    precision_slope = 1.0
    scalar_loss = staticmethod(gamma_loss)
    score_grows = False
    dispersion_name = "shape"
    log_link = True

    def check_target(self, y):
        """Raise unless every target is positive and has representable powers."""
        if (y <= 0).any():
            row = int(np.argmin(y))
            raise ValueError(f"y must be positive for family gamma, got {y[row]:g} in row {row}")
        require_ordinary("y", float(y.min()))
        require_ordinary("y", float(y.max()))
        return y

    def statistics(self, y):
        """Return (y, log y)."""
        return np.column_stack([y, np.log(y)])

    def log_base(self, y):
        """Return -log y."""
        return -np.log(y)

    def log_partition(self, nu):
        """Return log Gamma(nu_2) - nu_2 log(-nu_1)."""
        return loggamma(nu[:, 1]) - nu[:, 1] * np.log(-nu[:, 0])

    def mean(self, nu):
        """Return (E y, E log y)."""
        return np.column_stack([-nu[:, 1] / nu[:, 0], digamma(nu[:, 1]) - np.log(-nu[:, 0])])

    def variance(self, nu):
        """Return Cov(y, log y)."""
        cross = -1.0 / nu[:, 0]
        rows = np.stack([nu[:, 1] / nu[:, 0] ** 2, cross], -1), np.stack([cross, polygamma(1, nu[:, 1])], -1)
        return np.stack(rows, -2)

    def natural(self, xi):
        """Return (-e^{rho - u}, e^rho)."""
        return np.column_stack([-np.exp(xi[:, 1] - xi[:, 0]), np.exp(xi[:, 1])])

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho)."""
        rate, shape = np.exp(xi[:, 1] - xi[:, 0]), np.exp(xi[:, 1])
        return np.stack([np.stack([rate, np.zeros_like(rate)], -1), np.stack([-rate, shape], -1)], -1)

    def natural_curvature(self, xi):
        """Return the second derivatives of nu in (u, rho)."""
        rate, shape = np.exp(xi[:, 1] - xi[:, 0]), np.exp(xi[:, 1])
        second = np.zeros((len(xi), 2, 2, 2))
        second[:, 0, 0, 0] = second[:, 0, 1, 1] = -rate
        second[:, 0, 0, 1] = second[:, 0, 1, 0] = rate
        second[:, 1, 1, 1] = shape
        return second

    def sample(self, nu, rng):
        """Draw positive targets."""
        return rng.gamma(nu[:, 1], -1.0 / nu[:, 0])

    def dispersion_collapsed(self, values, floor):
        """Return whether a shape runs to infinity."""
        return bool((values > 25.0).any())

    def prediction(self, xi):
        """Return e^u."""
        return np.exp(xi[:, 0])

    def cdf(self, y, xi):
        """Return the regularised incomplete gamma function at y alpha e^-u."""
        shape = np.exp(xi[:, 1])
        return gammainc(shape, np.maximum(y, 0.0) * shape * np.exp(-xi[:, 0]))

    def quantile(self, level, xi):
        """Return its inverse."""
        shape = np.exp(xi[:, 1])
        return gammaincinv(shape, level) / shape * np.exp(xi[:, 0])

    def score_size(self, rows):
        """Return 1: residuals are relative to y already."""
        return 1.0

    def precision(self, dispersion):
        """Return the shape: one over the squared coefficient of variation."""
        return np.exp(dispersion)

    def kernel_target(self, y):
        """Return log y."""
        return np.log(y)

    def log_constant(self, dispersion):
        """Return alpha log alpha - alpha - log Gamma(alpha), whose terms cancel where alpha is large."""
        return 0.5 * (dispersion - np.log(2.0 * np.pi)) - stirling_gap(np.exp(dispersion))

    def log_density(self, y, xi):
        """Return log p(y; xi) from the unit deviance: a large shape multiplies no rounding of log y."""
        rest = np.log(y) - xi[:, 0]
        deviance = np.expm1(rest) - rest
        return self.log_constant(xi[:, 1]) - np.exp(xi[:, 1]) * deviance - np.log(y)

    def cancellation(self, y, xi):
        """Return the sizes of the terms of `log_density`; a large shape multiplies the rounding of log y."""
        rho, alpha, rest = xi[:, 1], np.exp(xi[:, 1]), np.log(y) - xi[:, 0]
        excess, log_y = np.abs(np.expm1(rest)), np.abs(np.log(y))
        constant = (1.0 + np.minimum(alpha, SERIES_FROM)) * (2.0 + np.abs(rho))
        return alpha * (excess * (1.0 + log_y) + np.abs(rest)) + log_y + constant

    def score(self, y, xi):
        """Return d log p / d (u, rho), see `log_density`."""
        alpha, rest = np.exp(xi[:, 1]), np.log(y) - xi[:, 0]
        excess = np.expm1(rest)
        return alpha[:, None] * np.column_stack([excess, digamma_gap(alpha) - (excess - rest)])

    def divergence(self, xi_u, xi_v):
        """Return KL( p(y; xi_v) || p(y; xi_u) ), that of the means and that of the shapes apart."""
        rest, (rho_u, rho_v) = xi_v[:, 0] - xi_u[:, 0], (xi_u[:, 1], xi_v[:, 1])
        alpha_u, alpha_v = np.exp(rho_u), np.exp(rho_v)
        of_means = alpha_u * (np.expm1(rest) - rest)
        gap = (alpha_u - alpha_v) * digamma_gap(alpha_v)
        return of_means + 0.5 * (rho_v - rho_u) + gap + stirling_gap(alpha_u) - stirling_gap(alpha_v)

    def divergence_terms(self, xi_u, xi_v):
        """Return the sizes of the terms that `divergence` adds up."""
        rest, rhos = xi_v[:, 0] - xi_u[:, 0], np.abs(xi_u[:, 1]) + np.abs(xi_v[:, 1])
        alpha_u, alpha_v = np.exp(xi_u[:, 1]), np.exp(xi_v[:, 1])
        of_means = alpha_u * (np.abs(np.expm1(rest)) + np.abs(rest))
        # below 30 the gaps are differences of terms of this size
        near = np.where(alpha_v < SERIES_FROM, np.abs(xi_v[:, 1]) + 1.0 / alpha_v, 0.0)
        gaps = np.abs(alpha_u - alpha_v) * (digamma_gap(alpha_v) + near)
        constants = np.minimum(alpha_u, SERIES_FROM) + np.minimum(alpha_v, SERIES_FROM) + 2.0
        return of_means + rhos + gaps + constants * (2.0 + rhos)

    def fitted_dispersion(self, loss):
        """Return the log shape that fits best where half the mean unit deviance is `loss`."""
        return log_shape(loss)

    def fit(self, rows, start, ridge=None):
        """Newton's method for the mean, free of the shape; then one equation for the shape."""
        solved = fit_coefficients(rows, _mean_sums, self, start, ridge, rows.mean[0])
        pull = 0.0 if ridge is None else 0.5 * ridge @ solved.x**2
        deviance = float((rows.add_up(_deviance, solved.x) + pull) / rows.mass)
        return solved.x[None], log_shape(deviance), solved.residual, solved.curvature


def stirling_gap(alpha):
    """Return what Stirling's formula lacks of log Gamma(alpha), real or complex.

    That is ``log Gamma(alpha) - (alpha - 1/2) log alpha + alpha - log(2 pi) / 2``, see `digamma_gap`.
    """
    large = np.real(alpha) >= SERIES_FROM
    near, far = np.where(large, 1.0, alpha), np.where(large, alpha, SERIES_FROM)
    q = 1.0 / (far * far)
    series = (1.0 / 12.0 - q * (1.0 / 360.0 - q * (1.0 / 1260.0 - q / 1680.0))) / far
    plain = loggamma(near) - (near - 0.5) * np.log(near) + near - 0.5 * np.log(2.0 * np.pi)
    return np.where(large, series, plain)


def _mean_sums(rows, family, coefficients):
    """Return the weighted sum of u + y e^-u, its gradient and its Hessian, flat."""
    design, weights, u = rows.design, rows.weights, rows.design.predict(coefficients[0])
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = rows.statistics[:, 0] * np.exp(-u)
        value = weights @ (u + ratio)
    return np.concatenate(
        [[value], design.moment(weights * (1.0 - ratio)), design.gram(weights * ratio).ravel()]
    )


def _deviance(rows, coefficients):
    """Return the weighted sum of u + y e^-u - log y - 1, whose terms cancel where shapes are large."""
    mean, mean_log = rows.statistics.T
    logarithm = np.log(mean)
    rest = logarithm - rows.design.predict(coefficients)
    # statistics may be means over hidden rows: then the logarithm is not that of the mean
    return rows.weights @ (np.expm1(rest) - rest + (logarithm - mean_log))
