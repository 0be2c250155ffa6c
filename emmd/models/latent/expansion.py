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
    information : ndarray of shape (p, p)
    """

    def __init__(self, derivatives: Any, data: LatentData, theta: np.ndarray):
        self._derivatives, self.data, self.theta = derivatives, data, theta
        self._rows = np.broadcast_to(theta, (len(data.weights), len(theta)))

    @cached_property
    def _values(self):
        return self._derivatives.values(self._rows, self.data.X)

    @cached_property
    def _second(self):
        thetas, factors = rounded(self.theta, 0), rounded(np.ones(self.eta.shape[1]), 1)
        return self._derivatives.second(self.theta, self.data.X, self.data.weights, thetas, factors)

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
        return self._second[0]

    @property
    def jacobian(self) -> np.ndarray:
        """J = d eta / d theta."""
        return self._second[1]

    @property
    def information(self) -> np.ndarray:
        """E[J' hess A J], shape (p, p)."""
        return self._second[2]

    def sizes(self) -> np.ndarray:
        """Return the sizes of the terms of E[J' (mean - S)], shape (p,); see `gradient_sizes`."""
        squares, noise = self._second[3:]
        return np.sqrt(squares) + relative_noise(noise)

    def bend(self, vectors: np.ndarray) -> np.ndarray:
        """Return E[sum_d vectors_d hess eta_d], shape (p, p), for vectors of shape (n, D)."""
        weighted = self.data.weights[:, None] * vectors
        return self._derivatives.bend(self.theta, self.data.X, weighted)
