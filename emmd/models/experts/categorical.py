"""Categorical experts: multinomial logistic regression for classes 0, ..., C - 1."""

from functools import cache

import numpy as np

from emmd.core.checks import MANY, positive_integer
from emmd.core.protocols.family import Family, whole_numbers
from emmd.kernels.em.categorical_loss import categorical_curvature, categorical_slopes, categorical_values
from emmd.kernels.em.row_loss import RowLoss


class Categorical(Family):
    """P(y = c | x) = softmax_c, class C - 1 being the reference with logit 0.

    Parameters
    ----------
    n_classes : int
        C, at least 2.
    """

    name = "categorical"
    variance_bound = 0.5
    score_grows = False

    def __init__(self, n_classes=2):
        self.n_classes = positive_integer("n_classes", n_classes, minimum=2, maximum=MANY)
        self.support = np.arange(float(self.n_classes))
        self.n_linear = self.n_statistics = self.n_classes - 1

    @property
    def row_loss(self):
        """Kernels of the multinomial loss."""
        return _row_loss(self.n_classes)

    def check_target(self, y):
        """Raise unless y holds classes 0, ..., C - 1."""
        whole_numbers(y, f"classes 0 to {self.n_classes - 1} for family categorical")
        if y.max() >= self.n_classes:
            row = int(np.argmax(y))
            raise ValueError(f"y must hold classes 0 to {self.n_classes - 1}, got {y[row]:g} in row {row}")
        return y

    def statistics(self, y):
        """Return the indicators of the classes 0, ..., C - 2."""
        return (y[:, None] == np.arange(self.n_classes - 1)).astype(float)

    def log_base(self, y):
        """Return 0."""
        return np.zeros(len(y))

    def log_partition(self, nu):
        """Return log(1 + sum_c e^{nu_c}), without overflow."""
        largest = np.maximum(nu.real.max(axis=1), 0.0)
        return largest + np.log(np.exp(-largest) + np.exp(nu - largest[:, None]).sum(axis=1))

    def mean(self, nu):
        """Return the probabilities of the classes 0, ..., C - 2."""
        return np.exp(nu - self.log_partition(nu)[:, None])

    def variance(self, nu):
        """Return diag(p) - pp'."""
        p = self.mean(nu)
        return p[:, :, None] * (np.eye(self.n_statistics) - p[:, None, :])

    def sample(self, nu, rng):
        """Draw classes."""
        cumulative = np.cumsum(self.mean(nu), axis=1)
        return (rng.random(len(nu))[:, None] > cumulative).sum(axis=1).astype(float)


@cache
def _row_loss(n_classes):
    return RowLoss(categorical_values, categorical_slopes, categorical_curvature, float(np.log(n_classes)))
