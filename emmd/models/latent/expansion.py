"""What a model says at one parameter, for all rows: each part is computed when first asked for."""

from functools import cached_property
from typing import Any

import numpy as np

from emmd.core.numerics.sizes import relative_noise, rounded
from emmd.models.latent.rows import LatentData


class Expansion:
    """eta, A and their derivatives at one theta.

    Attributes
    ----------
    eta, mean : ndarray of shape (n, D)
    partition : ndarray of shape (n,)
    jacobian : ndarray of shape (n, D, p)
    covariance : ndarray of shape (n, D, D)
    """

    def __init__(self, derivatives: Any, data: LatentData, theta: np.ndarray):
        self._derivatives, self.data, self.theta = derivatives, data, theta
        self._rows = np.broadcast_to(theta, (len(data.weights), len(theta)))

    @cached_property
    def _values(self):
        return self._derivatives.values(self._rows, self.data.X)

    @cached_property
    def _slopes(self):
        return self._derivatives.slopes(self._rows, self.data.X)

    @property
    def eta(self) -> np.ndarray:
        """Natural parameters."""
        return self._values[0]

    @property
    def partition(self) -> np.ndarray:
        """A(eta)."""
        return self._values[1]

    @property
    def mean(self) -> np.ndarray:
        """grad A(eta)."""
        return self._slopes[0]

    @property
    def jacobian(self) -> np.ndarray:
        """J = d eta / d theta."""
        return self._slopes[1]

    @cached_property
    def covariance(self) -> np.ndarray:
        """hess A(eta)."""
        return self._derivatives.covariance(self.eta)

    @cached_property
    def information(self) -> np.ndarray:
        """E[J' hess A J], shape (p, p)."""
        return self.quadratic(self.covariance)

    def pulled_back(self, vectors: np.ndarray) -> np.ndarray:
        """Return E[J' vectors], shape (p,), for vectors of shape (n, D)."""
        weighted = self.data.weights[:, None] * vectors
        return weighted.ravel() @ self._stacked

    def quadratic(self, curvature: np.ndarray) -> np.ndarray:
        """Return E[J' curvature J], shape (p, p), for a curvature of shape (n, D, D)."""
        weighted = self.data.weights[:, None, None] * (curvature @ self.jacobian)
        found = weighted.reshape(self._stacked.shape).T @ self._stacked
        return 0.5 * (found + found.T)

    def bend(self, vectors: np.ndarray) -> np.ndarray:
        """Return E[sum_d vectors_d hess eta_d], shape (p, p), for vectors of shape (n, D)."""
        weighted = self.data.weights[:, None] * vectors
        return self._derivatives.bend(self.theta, self.data.X, weighted)

    def sizes(self) -> np.ndarray:
        """Return the sizes of the terms of E[J' (mean - S)], shape (p,); see `gradient_sizes`."""
        spread = np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0.0)
        slopes = (np.sqrt(self.mean**2 + spread)[:, None] @ np.abs(self.jacobian))[:, 0]
        thetas, factors = rounded(self.theta, 0), rounded(np.ones(self.mean.shape[1]), 1)
        means = self._derivatives.rounded_means(thetas, self.data.X, factors, len(self.data.weights))
        noise = [np.abs(self.pulled_back(mean - self.mean)) for mean in means]
        return np.sqrt(self.data.weights @ slopes**2) + relative_noise(noise)

    @cached_property
    def _stacked(self):
        return np.ascontiguousarray(self.jacobian).reshape(-1, self.jacobian.shape[2])
