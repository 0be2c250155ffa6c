"""Bernoulli experts with a logit link, for targets 0 and 1."""

import numpy as np
from scipy.special import expit

from emmd.core.protocols.family import Family
from emmd.kernels.em.row_loss import scalar_row_loss
from emmd.kernels.maths.losses import bernoulli_loss
from emmd.kernels.solvers.logistic import LOG_2


class Bernoulli(Family):
    """P(y = 1 | x) = sigmoid(x'beta): T = y, a = log(1 + e^nu)."""

    name = "bernoulli"
    support = (0.0, 1.0)
    variance_bound = 0.25
    score_grows = False

    @property
    def row_loss(self):
        """Kernels of the logistic loss."""
        return scalar_row_loss(bernoulli_loss, entropy=LOG_2)

    def check_target(self, y):
        """Raise unless y holds 0 and 1 only."""
        wrong = (y != 0) & (y != 1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"y must hold 0 and 1 for family bernoulli, got {y[row]:g} in row {row}")
        return y

    def statistics(self, y):
        """Return y as a column."""
        return y[:, None]

    def log_base(self, y):
        """Return 0."""
        return np.zeros(len(y))

    def log_partition(self, nu):
        """Return log(1 + e^nu), without overflow."""
        u = nu[:, 0]
        flipped = np.where(u.real > 0, -u, u)
        return np.where(u.real > 0, u, 0) + np.log1p(np.exp(flipped))

    def mean(self, nu):
        """Return sigmoid(nu)."""
        return expit(nu)

    def variance(self, nu):
        """Return sigmoid(nu) sigmoid(-nu)."""
        return (expit(nu) * expit(-nu))[:, :, None]

    def sample(self, nu, rng):
        """Draw labels 0 and 1."""
        return (rng.logistic(size=len(nu)) < nu[:, 0]).astype(float)

    def prediction(self, xi):
        """Return P(y = 1)."""
        return expit(xi[:, 0])
