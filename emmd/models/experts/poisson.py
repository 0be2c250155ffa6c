"""Poisson experts with a log link, for counts."""

import numpy as np
from scipy.special import pdtr, pdtrik

from emmd.core.protocols.counts import Counts
from emmd.kernels.maths.losses import poisson_loss

_EXACT = 2.0**53


class Poisson(Counts):
    """y | x ~ Poisson(e^{x'beta}): T = y, a = e^nu, h = 1 / y!."""

    name = "poisson"
    scalar_loss = staticmethod(poisson_loss)
    support = "counts"

    def check_target(self, y):
        """Raise unless y holds counts that double precision tells apart."""
        super().check_target(y)
        if y.max() > _EXACT:
            row = int(np.argmax(y))
            raise ValueError(f"y must hold counts up to {_EXACT:g} (2^53), got {y[row]:g} in row {row}")
        return y

    def statistics(self, y):
        """Return y as a column."""
        return y[:, None]

    def log_partition(self, nu):
        """Return e^nu."""
        return np.exp(nu[:, 0])

    def mean(self, nu):
        """Return e^nu."""
        return np.exp(nu)

    def variance(self, nu):
        """Return e^nu."""
        return np.exp(nu)[:, :, None]

    def sample(self, nu, rng):
        """Draw counts."""
        return rng.poisson(np.exp(nu[:, 0])).astype(float)

    def prediction(self, xi):
        """Return e^xi."""
        return np.exp(xi[:, 0])

    def cdf(self, y, xi):
        """Return the sum of the probabilities up to y."""
        return np.where(y < 0, 0.0, pdtr(np.maximum(np.floor(y), 0.0), np.exp(xi[:, 0])))

    def quantile(self, level, xi):
        """Return the inverse of the distribution function between whole numbers, rounded up."""
        return np.ceil(pdtrik(level, np.exp(xi[:, 0])))
