"""Targets and weights that stand for a family's density: the trapezoidal rule, or all values that matter.

The trapezoidal rule of step h errs by about e^(-2 pi a / h) for a density that is analytic in a strip of half
width a. Responsibilities are logistic functions of y with a slope of the distance between two experts: a is
pi over that distance.
"""

from typing import Any

import numpy as np
from scipy.special import gammaln

LARGEST_MEAN = 1e6
"""Counts with a larger mean take more nodes than a population is worth."""

_DIGITS = 30.0
"""Of a weight, in natural logarithms, down to which nodes are laid and steps are chosen."""

_REACH = 8.6
_WIDEST = 0.45


def step(gap, log_weight):
    """Return the step in standard deviations, shape (rows,), at which a rule's error is below a weight.

    Parameters
    ----------
    gap : ndarray of shape (rows,)
        Distance of the experts' predictors, in standard deviations.
    log_weight : ndarray of shape (rows,)
        What the rows weigh, to the heaviest: light rows need fewer digits.
    """
    digits = np.maximum(_DIGITS + log_weight, 1.0)
    return np.minimum(2.0 * np.pi**2 / (np.maximum(gap, 1e-9) * digits), _WIDEST)


class Normal:
    """Gaussian experts."""

    @staticmethod
    def size(family, xi, gap, log_weight):
        """Return how many nodes the rows need, shape (rows,)."""
        return 2.0 * _REACH / step(gap / _deviation(family, xi), log_weight)

    @staticmethod
    def nodes(family, xi, n):
        """Return targets and weights, both of shape (rows, n)."""
        nodes = np.linspace(-_REACH, _REACH, n)
        weights = np.exp(-0.5 * nodes**2)
        targets = xi[:, :1] + _deviation(family, xi)[:, None] * nodes
        return targets, np.broadcast_to(weights / weights.sum(), targets.shape)


def _deviation(family, xi):
    return np.exp(0.5 * xi[:, 1]) if xi.shape[1] > 1 else np.full(len(xi), np.sqrt(family.known))


class LogGamma:
    """Gamma experts, by the logarithm of y over its mean."""

    @staticmethod
    def size(family, xi, gap, log_weight):
        """Return how many nodes the rows need, shape (rows,)."""
        shape = np.exp(xi[:, 1])
        low, high = LogGamma._ends(shape)
        # the density grows beyond imaginary parts of pi / 2, whatever the distance of the experts
        widest = np.minimum(step(gap * np.sqrt(shape), log_weight), np.pi**2 / _DIGITS)
        return (high - low) / (widest / np.sqrt(1.0 + shape))

    @staticmethod
    def _ends(shape):
        # the density of v falls like e^(shape v) to the left and e^(-shape e^v) to the right
        return -1.0 - 38.0 / shape, np.log1p(38.0 / shape + 9.0 / np.sqrt(shape))

    @staticmethod
    def nodes(family, xi, n):
        """Return targets and weights, both of shape (rows, n)."""
        shape = np.exp(xi[:, 1:])
        low, high = LogGamma._ends(shape)
        v = low + (high - low) * np.linspace(0.0, 1.0, n)
        log_weight = shape * (v - np.exp(v) + 1.0)
        weights = np.exp(log_weight)
        return np.exp(xi[:, :1] + v), weights / weights.sum(axis=1, keepdims=True)


class Classes:
    """Labels and classes: all of them."""

    @staticmethod
    def size(family, xi, gap, log_weight):
        """Return how many classes there are, shape (rows,)."""
        return np.full(len(xi), getattr(family, "n_classes", 2))

    @staticmethod
    def nodes(family, xi, n):
        """Return targets and weights, both of shape (rows, classes)."""
        values = np.arange(getattr(family, "n_classes", 2), dtype=float)
        mass = np.exp([family.log_density(np.full(len(xi), value), xi) for value in values]).T
        return np.broadcast_to(values, mass.shape), mass


class Counts:
    """Counts: all that are likely."""

    @staticmethod
    def size(family, xi, gap, log_weight):
        """Return how many counts are likely, shape (rows,)."""
        mean = np.exp(xi[:, 0])
        if mean.max() > LARGEST_MEAN:
            raise ValueError(
                f"snr_expert must leave counts with means up to {LARGEST_MEAN:g}, got {mean.max():g}: "
                "sample only"
            )
        return 18.0 * np.sqrt(mean) + 50.0

    @staticmethod
    def nodes(family, xi, n):
        """Return targets and weights, both of shape (rows, n)."""
        mean = np.exp(xi[:, :1])
        first = np.maximum(np.floor(mean - 9.0 * np.sqrt(mean)), 0.0)
        values = first + np.arange(n)
        return values, np.exp(values * xi[:, :1] - mean - gammaln(values + 1.0))


RULES: dict[str, Any] = {
    "gaussian": Normal,
    "gamma": LogGamma,
    "bernoulli": Classes,
    "categorical": Classes,
    "poisson": Counts,
}
"""By the name of the family."""
