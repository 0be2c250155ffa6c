"""Gaussian experts of several targets at once, with a full covariance per expert."""

import numpy as np

from emmd.core.checks import MANY, positive_integer, require_ordinary
from emmd.core.numerics.derivatives import row_gradient
from emmd.core.protocols.family import Family
from emmd.fits.least_squares import weighted_least_squares
from emmd.rows.weighted_rows import Rows

_LOG_2PI = float(np.log(2.0 * np.pi))


class MultivariateGaussian(Family):
    """y | x ~ N(u, Sigma), y of m targets, u_j = x'beta_j, Sigma^-1 = L' diag(e^-rho) L.

    L is lower triangular with ones on its diagonal and -phi below: the residual of target j is regressed on
    those of the targets before it, with slopes phi_jl and residual variance e^rho_j. So every real rho and
    phi stand for one covariance. T = (y, (y_j y_l)_{j <= l}), nu = (Sigma^-1 u, the entries of -Sigma^-1 / 2,
    those off the diagonal twice) and a(nu) = u' Sigma^-1 u / 2 + sum(rho) / 2.

    Parameters
    ----------
    n_targets : int
        m, at least 2.

    References
    ----------
    Pourahmadi, "Joint mean-covariance models with applications to longitudinal data", Biometrika 86, 1999.
    """

    name = "multivariate_gaussian"
    dispersion = "free"
    dispersion_name = "covariance"

    def __init__(self, n_targets):
        m = self.n_targets = positive_integer("n_targets", n_targets, minimum=2, maximum=MANY)
        self.n_linear = m
        self._below = np.tril_indices(m, -1)
        self._pairs = np.triu_indices(m)
        self.n_dispersion = m + len(self._below[0])
        self.n_statistics = m + len(self._pairs[0])

    def check_target(self, y):
        """Raise unless y has m columns whose powers are representable; zeros are."""
        if y.ndim != 2 or y.shape[1] != self.n_targets:
            raise ValueError(f"y must have {self.n_targets} columns, got shape {y.shape}")
        require_ordinary("y", max(1.0, float(np.abs(y).max())))
        return y

    def statistics(self, y):
        """Return (y, the products of its entries)."""
        j, k = self._pairs
        return np.column_stack([y, y[:, j] * y[:, k]])

    def log_base(self, y):
        """Return -m log(2 pi) / 2."""
        return np.full(len(y), -0.5 * self.n_targets * _LOG_2PI)

    def _split(self, xi):
        """Return u, rho, shape (n, m), and L, (n, m, m)."""
        m = self.n_targets
        L = np.tile(np.eye(m, dtype=xi.dtype), (len(xi), 1, 1))
        L[:, *self._below] = -xi[:, 2 * m :]
        return xi[:, :m], xi[:, m : 2 * m], L

    def natural(self, xi):
        """Return (Sigma^-1 u, -Sigma^-1 / 2)."""
        u, rho, L = self._split(xi)
        precision = np.einsum("nji,nj,njk->nik", L, np.exp(-rho), L)
        j, k = self._pairs
        return np.column_stack(
            [np.einsum("njk,nk->nj", precision, u), precision[:, j, k] * np.where(j == k, -0.5, -1.0)]
        )

    def natural_jacobian(self, xi):
        """Return d nu / d (u, rho, phi)."""
        return row_gradient(self.natural, xi)

    def _precision(self, nu):
        """Return Sigma^-1, shape (n, m, m)."""
        j, k = self._pairs
        values = nu[:, self.n_targets :] * np.where(j == k, -2.0, -1.0)
        precision = np.empty((len(nu), self.n_targets, self.n_targets), dtype=nu.dtype)
        precision[:, j, k] = precision[:, k, j] = values
        return precision

    def _moments(self, nu):
        covariance = np.linalg.inv(self._precision(nu))
        return np.einsum("njk,nk->nj", covariance, nu[:, : self.n_targets]), covariance

    def log_partition(self, nu):
        """Return a(nu)."""
        linear, precision = nu[:, : self.n_targets], self._precision(nu)
        mean = np.linalg.solve(precision, linear[..., None])[..., 0]
        return 0.5 * (np.einsum("nj,nj->n", linear, mean) - np.log(np.linalg.det(precision)))

    def mean(self, nu):
        """Return E[T]."""
        u, covariance = self._moments(nu)
        j, k = self._pairs
        return np.column_stack([u, covariance[:, j, k] + u[:, j] * u[:, k]])

    def variance(self, nu):
        """Return Cov(T), by Isserlis' theorem."""
        (u, S), (j, k), m = self._moments(nu), self._pairs, self.n_targets
        result = np.empty((len(nu), self.n_statistics, self.n_statistics))
        result[:, :m, :m] = S
        cross = S[:, :, j] * u[:, None, k] + S[:, :, k] * u[:, None, j]
        result[:, :m, m:], result[:, m:, :m] = cross, cross.transpose(0, 2, 1)
        fourth = np.zeros((len(nu), len(j), len(j)))
        for a, b in ((j, k), (k, j)):
            for c, d in ((j, k), (k, j)):
                own = 0.5 * S[:, b][:, :, d] + u[:, b, None] * u[:, None, d]
                fourth += S[:, a][:, :, c] * own
        result[:, m:, m:] = fourth
        return result

    def _residuals(self, y, xi):
        """Return each target's residual, given those before it, and e^-rho, shape (n, m)."""
        u, rho, L = self._split(xi)
        return np.einsum("njk,nk->nj", L, y - u), np.exp(-rho)

    def log_density(self, y, xi):
        """Return the sum over the targets given those before: the statistics' form cancels digits."""
        own, precision = self._residuals(y, xi)
        rho = xi[:, self.n_targets : 2 * self.n_targets]
        return -0.5 * (own**2 * precision + rho + _LOG_2PI).sum(axis=1)

    def cancellation(self, y, xi):
        """Return the sizes of the terms of `log_density`, those of the residuals among them."""
        u, rho, L = self._split(xi)
        rest = np.einsum("njk,nk->nj", np.abs(L), np.abs(y - u))
        return 0.5 * (rest**2 * np.exp(-rho) + np.abs(rho) + _LOG_2PI).sum(axis=1)

    def _central(self, statistics, xi):
        """Return the mean residuals, those given the ones before, their mean products C, C L', L, e^-rho."""
        (u, rho, L), m, (j, k) = self._split(xi), self.n_targets, self._pairs
        mean = statistics[:, :m]
        spread = np.zeros((len(xi), m, m))
        # exactly 0 for rows of data: products of what is large do not cancel
        spread[:, j, k] = spread[:, k, j] = statistics[:, m:] - mean[:, j] * mean[:, k]
        rest = mean - u
        second = spread + rest[:, :, None] * rest[:, None, :]
        own = np.einsum("njk,nk->nj", L, rest)
        return rest, own, second, np.einsum("nlk,njk->nlj", second, L), L, np.exp(-rho)

    def score_at(self, statistics, xi):
        """Return the mean score in (u, rho, phi)."""
        _, own, _, turned, L, precision = self._central(statistics, xi)
        j, k = self._below
        squares = np.einsum("njl,nlj->nj", L, turned)
        by_u = np.einsum("njk,nj->nk", L, precision * own)
        return np.column_stack([by_u, 0.5 * (precision * squares - 1.0), precision[:, j] * turned[:, k, j]])

    def curvature_at(self, statistics, xi):
        """Return the mean of minus the second derivatives in (u, rho, phi)."""
        rest, own, second, turned, L, precision = self._central(statistics, xi)
        m, (j, k), n = self.n_targets, self._below, len(xi)
        rho, phi = slice(m, 2 * m), slice(2 * m, None)
        result = np.zeros((n, self.n_predictors, self.n_predictors))
        result[:, :m, :m] = np.einsum("nji,nj,njk->nik", L, precision, L)
        result[:, :m, rho] = np.einsum("njk,nj->nkj", L, precision * own)
        places = np.arange(m)
        result[:, places + m, places + m] = 0.5 * precision * np.einsum("njl,nlj->nj", L, turned)
        for place, (a, b) in enumerate(zip(j, k)):
            at = 2 * m + place
            result[:, :m, at] = (precision[:, a] * rest[:, b])[:, None] * L[:, a]
            result[:, b, at] += precision[:, a] * own[:, a]
            result[:, m + a, at] = precision[:, a] * turned[:, b, a]
            same = np.flatnonzero(j == a)
            result[:, at, 2 * m + same] = precision[:, [a]] * second[:, b, k[same]]
        result[:, rho, :m] = result[:, :m, rho].transpose(0, 2, 1)
        result[:, phi, : 2 * m] = result[:, : 2 * m, phi].transpose(0, 2, 1)
        return result

    def expected_curvature(self, xi):
        """Return the expectation of `curvature`."""
        return self.curvature_at(self.mean(self.natural(xi)), xi)

    def score_terms(self, y, xi):
        """Return the moduli of the terms of the score."""
        _, own, _, turned, L, precision = self._central(self.statistics(y), xi)
        j, k = self._below
        by_u = np.einsum("njk,nj->nk", np.abs(L), precision * np.abs(own))
        squares = np.einsum("njl,nlj->nj", np.abs(L), np.abs(turned))
        by_phi = precision[:, j] * np.abs(turned[:, k, j])
        return np.column_stack([by_u, 0.5 * (precision * squares + 1.0), by_phi])

    def sample(self, nu, rng):
        """Draw targets, shape (n, m)."""
        u, covariance = self._moments(nu)
        noise = rng.standard_normal(u.shape)
        return u + np.einsum("njk,nk->nj", np.linalg.cholesky(covariance), noise)

    def unit(self, rows):
        """Return the standard deviation of each target for u, and 1 for the rest."""
        j, k = self._pairs
        mean, square = rows.mean[: self.n_targets], rows.mean[self.n_targets :][j == k]
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        sizes = np.where(spread > 1e-7 * np.sqrt(square), spread, 1.0)
        return np.append(sizes, np.ones(self.n_dispersion))

    def score_size(self, rows):
        """Return 1: residuals are relative to y already."""
        return 1.0

    def prediction(self, xi):
        """Return u, shape (n, m)."""
        return xi[:, : self.n_targets]

    def dispersion_collapsed(self, values, floor):
        """Return whether a target is an exact function of the features and the targets before it."""
        return bool((values[..., : self.n_targets] < floor).any())

    def fit(self, rows, start, ridge=None):
        """Least squares for each target; the covariance is that of the residuals."""
        m, (j, k), g = self.n_targets, self._pairs, rows.weights
        mean, products = rows.statistics[:, :m], rows.statistics[:, m:]
        solved = [
            weighted_least_squares(Rows(rows.design, np.column_stack([mean[:, t], products[:, at]]), g))
            for t, at in enumerate(np.flatnonzero(j == k))
        ]
        coefficients = np.array([each[0] for each in solved])
        rest = mean - np.column_stack([rows.design.predict(coef) for coef in coefficients])
        second = g @ (products - mean[:, j] * mean[:, k] + rest[:, j] * rest[:, k]) / rows.mass
        covariance = np.empty((m, m))
        covariance[j, k] = covariance[k, j] = second
        residual, curvature = max(each[2] for each in solved), min(each[3] for each in solved)
        return coefficients, self._regressed(covariance), residual, curvature

    def _regressed(self, covariance):
        """Return (rho, phi) of one covariance: each target regressed on those before it."""
        rho, phi = np.empty(self.n_targets), []
        # an exact fit has log variance -inf, which the model names as a collapse
        with np.errstate(divide="ignore", invalid="ignore"):
            for j in range(self.n_targets):
                slopes = np.linalg.lstsq(covariance[:j, :j], covariance[:j, j])[0]
                rho[j] = np.log(max(covariance[j, j] - covariance[j, :j] @ slopes, 0.0))
                phi.append(slopes)
        return np.concatenate([rho, *phi])

    def reported(self, dispersion, scale=1.0):
        """Return the covariances, shape (K, m, m)."""
        m = self.n_targets
        _, rho, L = self._split(np.column_stack([np.zeros((len(dispersion), m)), dispersion]))
        inverse = np.linalg.inv(L)
        covariance = np.einsum("nij,nj,nkj->nik", inverse, np.exp(rho), inverse)
        return {"dispersion": covariance * np.multiply.outer(scale, scale)}

    def inside(self, reported, scale=1.0):
        """Undo `reported`."""
        covariances = reported["dispersion"] / np.multiply.outer(scale, scale)
        return np.array([self._regressed(each) for each in covariances])

    def reported_terms(self, targets):
        """Return the variances, then the covariances."""
        places = [(j, j) for j in range(self.n_targets)] + list(zip(*self._below))
        return [
            (f"variance {targets[j]}", "dispersion", (j, j), True)
            if j == k
            else (f"covariance {targets[j]}, {targets[k]}", "dispersion", (int(j), int(k)), False)
            for j, k in places
        ]
