"""Nodes and weights that add up or integrate a function over all values of y."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

_REAL = 20.0, 4096
_PLANE = 7.0, 224
_POSITIVE = (-60.0, 15.0), 4096
"""Range of the variable in which a rule has equal steps, and their number: y = c + s sinh(u) covers 2e8
deviations, y = s exp(u) 27 decades below and 6 above."""

_COUNTS_PAST = 8
"""Times the largest count of the data, and more: what lies beyond is bounded by the last terms."""

_EVERY = 3**10
"""Counts below this are all nodes; then come as many strides of 3, of 9, and so on."""


@dataclass(frozen=True)
class Nodes:
    """Values of y with weights.

    Attributes
    ----------
    y : ndarray of shape (m, ...)
    weights : ndarray of shape (m,)
    coarse : ndarray of shape (m,)
        Those of a rule with twice the step; the weights themselves where y is discrete.
    ends : list of (int, int)
        The last node towards each end of an open range, and the one before: terms fall from one to the
        other as they do beyond.
    exact : float
        Below this every value is a node.
    """

    y: np.ndarray
    weights: np.ndarray
    coarse: np.ndarray
    ends: list
    exact: float = -np.inf


def nodes_of(support: Any, y: np.ndarray) -> Nodes | None:
    """Return the nodes for a support, placed by the data; None where no rule is known for y of that shape.

    Parameters
    ----------
    support : array_like or str
        All values, or ``"counts"``, ``"positive"``, ``"real"``.
    y : ndarray of shape (n, ...)
    """
    if not isinstance(support, str):
        values = np.asarray(support, dtype=None)
        weights = np.ones(len(values))
        return Nodes(values, weights, weights, [], np.inf)
    shape = y.shape[1:]
    if support == "real" and shape in ((), (1,), (2,)):
        return _real(y, shape)
    if shape not in ((), (1,)) or support == "real":
        return None
    return (_counts if support == "counts" else _positive)(y, shape)


def _counts(y, shape):
    """All counts up to a bound; past it the middles of ever longer strides, each for all that it covers."""
    last = 64 + _COUNTS_PAST * int(y.max() + 1)
    first, stride = min(last, _EVERY), 1
    places, strides = [np.arange(first)], [np.ones(first, dtype=np.int64)]
    while first < last:
        stride *= 3
        places.append(first + stride * np.arange(_EVERY) + stride // 2)
        strides.append(np.full(_EVERY, stride))
        first += stride * _EVERY
    values, weights = np.concatenate(places).astype(float), np.concatenate(strides).astype(float)
    # the middle one of three strides lies in the middle of all three
    coarse = np.where(weights > 1.0, 3.0 * weights * (np.arange(len(weights)) % 3 == 1), 1.0)
    ends = [(len(weights) - 1, len(weights) - 2)]
    return Nodes(values.reshape(-1, *shape), weights, coarse, ends, _EVERY)


def _positive(y, shape):
    (low, high), steps = _POSITIVE
    u = np.linspace(low, high, steps + 1)
    values = float(np.median(y)) * np.exp(u)
    weights, coarse = _trapezoidal(values, u)
    return Nodes(values.reshape(-1, *shape), weights, coarse, _ends(len(u)))


def _real(y, shape):
    reach, steps = _PLANE if shape == (2,) else _REAL
    u = np.linspace(-reach, reach, steps + 1)
    axes: list[tuple] = []
    for column in y.reshape(len(y), -1).T:
        middle, half = np.median(column), np.median(np.abs(column - np.median(column)))
        size = half if half > 0.0 else 1.0
        axes.append((middle + size * np.sinh(u), *_trapezoidal(size * np.cosh(u), u)))
    values, weights, coarse = (np.array([*product(*part)]) for part in zip(*axes))
    ends = _ends(len(u)) if len(axes) == 1 else []
    return Nodes(values.reshape(-1, *shape), weights.prod(axis=1), coarse.prod(axis=1), ends)


def _trapezoidal(slope, u):
    """Return the weights for steps of u, and of 2 u, given dy / du."""
    weights = slope * (u[1] - u[0])
    return weights, 2.0 * weights * (np.arange(len(u)) % 2 == 0)


def _ends(m):
    return [(0, 1), (m - 1, m - 2)]
