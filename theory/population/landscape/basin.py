"""Where population EM leads from a grid of starts, and how long it takes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import instance, positive_integer, real_array, require_finite
from emmd.theory.population.landscape.problem import PopulationProblem
from emmd.theory.population.progress import reported

__all__ = ["BasinMap", "basin_map"]

_ARRIVED = 1e-2
# A step this small, relative to the optimum, away from every copy of theta*: another stationary point.
_STUCK = 1e-7


@dataclass(frozen=True, eq=False)
class BasinMap:
    """Limits of population EM from theta = u theta* + v (theta* turned by a quarter).

    Attributes
    ----------
    u, v : ndarray of shape (n,), (m,)
    copy : ndarray of int, shape (n, m)
        Index into `copies` of the limit; -1 for another stationary point, -2 where `max_iter` was not enough.
    iterations : ndarray of int, shape (n, m)
        EM steps until the distance to the limit is 1 % of the norm of theta*.
    copies : ndarray of shape (k, p)
        theta* first, then its copies under the model's symmetries.
    """

    u: np.ndarray
    v: np.ndarray
    copy: np.ndarray
    iterations: np.ndarray
    copies: np.ndarray


def basin_map(
    problem: PopulationProblem,
    u: ArrayLike,
    v: ArrayLike,
    max_iter: int = 300,
    progress: bool | Callable | None = None,
) -> BasinMap:
    """Follow population EM from the starts u theta* + v theta_perp.

    Parameters
    ----------
    problem : PopulationProblem
        Two or more features; its region should hold the starts.
    u, v : array_like of shape (n,), (m,)
        Coordinates along theta* and along theta_perp, both of whose halves are theta*'s, turned by a quarter
        in the whitened plane of beta* and w*.
    max_iter : int
    progress : bool or callable, optional
        True shows a bar on standard error; a callable is called as ``progress(done, total)``.

    Returns
    -------
    BasinMap

    Raises
    ------
    ValueError
        For a problem with one feature, or a start outside the region.
    """
    instance("problem", problem, PopulationProblem, "a PopulationProblem, from population_problem")
    u, v = real_array("u", u, 1), real_array("v", v, 1)
    max_iter = positive_integer("max_iter", max_iter)
    if len(problem.frame.plane) < 2:
        raise ValueError("problem must have two features or more, got a line")
    turned = quarter_turn(problem)
    copies = problem.model.equivalents(problem.theta_star)
    with np.errstate(over="ignore", invalid="ignore"):
        starts = np.array([along * problem.theta_star + across * turned for along in u for across in v])
    require_finite("u and v", "starts", starts)
    ends = (_follow(problem, start, copies, max_iter) for start in starts)
    found = np.array(list(reported(ends, len(starts), progress, "starts"))).reshape(u.size, v.size, 2)
    return BasinMap(u, v, found[..., 0], found[..., 1], copies)


def quarter_turn(problem):
    """Return theta* with both halves turned by a quarter in the whitened plane, shape (p,)."""
    frame = problem.frame
    back = np.linalg.solve(frame.root.T, frame.plane.T)
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    return problem.model.join(back @ turn @ frame.expert, back @ turn @ frame.gate)


def _follow(problem, theta, copies, max_iter):
    """Return the limit's index and the steps until it is near."""
    if not problem.contains(theta):
        raise ValueError("u and v must keep the starts inside the problem's region (starts= or region=)")
    size = np.linalg.norm(problem.theta_star)
    for step in range(max_iter + 1):
        gaps = np.linalg.norm(copies - theta, axis=1)
        if gaps.min() <= _ARRIVED * size:
            return int(gaps.argmin()), step
        after = problem.em_step(theta)
        if np.linalg.norm(after - theta) <= _STUCK * size:
            return -1, step
        theta = after
    return -2, max_iter
