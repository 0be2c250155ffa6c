r"""Bounds of the missing information where a truncated Gaussian is hidden: probit regression.

With eta = x'theta, A = eta^2/2 and A_y = eta^2/2 + log Phi(y eta) the complete information is E[xx'], and the
missing one E[V(y eta) xx'] with V(t) the variance of z ~ N(t, 1) given z > 0. V grows with t, from 0 to 1: a
normal variable that is cut off at a lower point varies more (Burdett, Economics Letters 50, 1996). So on a
segment, along which eta is linear in every row, and on the hull of points, V is at most what it is at the
largest y eta of the row.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from emmd.fits.pencil import pencil
from emmd.theory.numeric.bounds.curvature import Bound, halved
from emmd.theory.numeric.bounds.rounding import EPS

_PROBE = 0.5
_UNITS = 64.0
_SERIES = 30.0


def truncated_variance(t: ArrayLike) -> np.ndarray:
    """Return the variance of z ~ N(t, 1) given z > 0: 1 - h (h + t), h = phi(t) / Phi(t).

    Below -30 what is returned is a bound from above, 1 / t^2.
    """
    t = np.asarray(t, dtype=float)
    near, far = np.maximum(t, -_SERIES), np.minimum(t, -_SERIES)
    hazard = np.exp(-0.5 * near**2 - 0.5 * np.log(2.0 * np.pi) - log_ndtr(near))
    # far off the difference is lost in terms of the size of t^2; there 1 / t^2 is above it, as a bound may be
    return np.where(t < -_SERIES, 1.0 / far**2, 1.0 - hazard * (hazard + near))


@dataclass(frozen=True)
class _Node:
    s: float
    values: np.ndarray
    value: float


class TruncatedCurvature:
    """Rows of a problem that `hides_truncated_gaussian`; the methods are those of `Curvature`.

    Parameters
    ----------
    problem : emmd.Problem
    """

    def __init__(self, problem: Any) -> None:
        definition = problem.model.definition(problem.data)
        zero = definition.eta(np.zeros(problem.n_params))
        columns = [(definition.eta(e) - zero)[:, 0] for e in np.eye(problem.n_params)]
        self.y, self.offset, self.X = problem.data.y, zero[:, 0], np.column_stack(columns)
        self.weights = problem.weights

    @cached_property
    def complete(self) -> np.ndarray:
        """E[xx']."""
        return self.X.T @ (self.weights[:, None] * self.X)

    def hull(self, points: Any) -> float:
        """Bound lambda_max(M) on the convex hull of points, each row by its own range."""
        return self._largest(np.max([self._values(theta) for theta in points], axis=0))

    def segment(self, start: np.ndarray, end: np.ndarray, tolerance: float = 0.01, most: int = 60) -> Bound:
        """Bound lambda_max(M) on a segment; see `Curvature.segment`."""

        def node(s):
            values = self._values(start + s * (end - start))
            return _Node(s, values, self._largest(values))

        def above(left, right):
            return self._largest(np.maximum(left.values, right.values))

        upper, lower = halved(node, above, tolerance, most)
        return Bound(upper, lower.value, start + lower.s * (end - start))

    def _values(self, theta):
        return truncated_variance(self.y * (self.offset + self.X @ theta))

    def _largest(self, values):
        missing = self.X.T @ ((self.weights * values)[:, None] * self.X)
        return float(pencil(missing, self.complete)[0][-1])


def hides_truncated_gaussian(lab: Any) -> bool:
    """Return whether A and A_y of a problem are those of probit regression, as evaluated at several points.

    Parameters
    ----------
    lab : Lab
    """
    model, data = lab.model, lab.problem.data
    y = np.asarray(lab.problem.y, dtype=object)
    if not lab.linear_model_set or y.shape != (lab.problem.n_rows,) or not np.isin(y, (-1.0, 1.0)).all():
        return False
    return all(_says(model, data, theta) for theta in lab.random_points("truncated", 3, _PROBE))


def _says(model, data, theta):
    eta = model.definition(data).eta(theta)
    if eta.shape[1] != 1:
        return False
    A, t = 0.5 * eta[:, 0] ** 2, data.y * eta[:, 0]
    pairs = (model.log_partition(eta), A), (model.log_numerator(data, eta), A + log_ndtr(t))
    return all(
        (np.abs(mine - theirs) <= _UNITS * EPS * (1.0 + A + np.abs(theirs))).all() for mine, theirs in pairs
    )
