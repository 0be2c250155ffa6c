"""Relative strong convexity over a region: the worst point, found by search, not the value at theta*."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from theory.numeric.information import missing_information


@dataclass(frozen=True)
class RegionConstant:
    """The largest alpha with hess L >= alpha hess A found on a set of segments.

    Attributes
    ----------
    alpha : float
        Smallest 1 - lambda_max(M) seen; an upper bound of the region's constant.
    theta : ndarray of shape (p,)
        Where it was seen.
    evaluations : int
    """

    alpha: float
    theta: np.ndarray
    evaluations: int


def local_constant(problem, theta):
    """Return 1 - lambda_max(M(theta)); minus infinity where the complete information is singular."""
    try:
        return 1.0 - missing_information(problem, theta).rate
    except np.linalg.LinAlgError:
        return -np.inf


def segments_constant(problem, starts, target, grid=9):
    """Search the segments from several points to a target for the worst constant.

    Parameters
    ----------
    problem : emmd.Problem
    starts : ndarray of shape (k, p)
        For claim C4, iterates of a path.
    target : ndarray of shape (p,)
        For claim C4, the optimum.
    grid : int
        Points per segment; the best is refined by a bounded scalar search.

    Returns
    -------
    RegionConstant
    """
    positions = np.linspace(0.0, 1.0, grid)
    values = np.array([[_on_segment(problem, start, target, s) for s in positions] for start in starts])
    k, j = divmod(int(np.argmin(values)), grid)
    low, high = positions[max(j - 1, 0)], positions[min(j + 1, grid - 1)]
    refined = minimize_scalar(
        lambda s: _on_segment(problem, starts[k], target, s), bounds=(low, high), method="bounded"
    )
    alpha, s = min((values[k, j], positions[j]), (refined.fun, refined.x))
    evaluations = values.size + refined.nfev
    return RegionConstant(float(alpha), starts[k] + s * (target - starts[k]), int(evaluations))


def _on_segment(problem, start, target, s):
    return local_constant(problem, start + s * (target - start))


def spread_indices(length, most):
    """Return at most `most` indices of a path: all the first ones, then geometrically fewer, and the last."""
    if length <= most:
        return np.arange(length)
    return np.unique(np.round(np.geomspace(1, length, most)).astype(int) - 1)
