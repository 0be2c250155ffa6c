"""Region constants of a population problem: the worst relative strong convexity on balls around theta*."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import MANY, instance, positive_integer, random_generator, real_array
from emmd.theory.numeric.bounds.region import local_constant
from emmd.theory.population.landscape.problem import PopulationProblem
from emmd.theory.population.progress import reported

__all__ = ["BallConstants", "ball_constants"]

_SHRINK = 0.5
_REFINEMENTS = 8
_FEW = 6


@dataclass(frozen=True, eq=False)
class BallConstants:
    """The largest alpha with hess L >= alpha hess A found on balls around theta*.

    Attributes
    ----------
    radius : ndarray of shape (r,)
        Ascending, of (beta / sigma, w) in whitened coordinates.
    alpha : ndarray of shape (r,)
        Smallest 1 - lambda_max(M) seen in each ball; an upper bound of the ball's constant, decreasing.
    theta : ndarray of shape (r, p)
        Where it was seen.
    at_truth : float
        1 - lambda_max(M(theta*)).
    """

    radius: np.ndarray
    alpha: np.ndarray
    theta: np.ndarray
    at_truth: float


def ball_constants(
    problem: PopulationProblem,
    radius: ArrayLike,
    samples: int = 24,
    seed: Any = 0,
    progress: bool | Callable | None = None,
) -> BallConstants:
    """Search balls around theta*, in the plane of the problem, for the worst relative strong convexity.

    Parameters
    ----------
    problem : PopulationProblem
        Its region must hold the balls, e.g. made with ``radius=``.
    radius : array_like of shape (r,)
        Positive.
    samples : int
        Random directions per ball; the worst is refined.
    seed : int
    progress : bool or callable, optional
        True shows a bar on standard error; a callable is called as ``progress(done, total)``.

    Returns
    -------
    BallConstants

    Raises
    ------
    ValueError
        If a radius is not positive or a ball leaves the problem's region.
    """
    instance("problem", problem, PopulationProblem, "a PopulationProblem, from population_problem")
    radius = np.sort(real_array("radius", radius, 1))
    samples = positive_integer("samples", samples, maximum=MANY)
    if not radius[0] > 0:
        raise ValueError(f"radius must be positive, got {radius[0]}")
    search = _Search(problem, random_generator("seed", seed))
    at_truth = local_constant(problem, problem.theta_star)
    worst, rows = (at_truth, problem.theta_star), []
    directions = [np.zeros(search.size)]
    for r in reported(radius.tolist(), len(radius), progress, "balls"):
        # the ball holds the smaller ones: their worst point stays a candidate
        best, directions = search.sphere(r, directions, samples)
        worst = min(worst, best, key=lambda pair: pair[0])
        rows.append(worst)
    return BallConstants(radius, np.array([a for a, _ in rows]), np.array([t for _, t in rows]), at_truth)


class _Search:
    """Random directions of the plane's parameters, and a local search around the worst of them."""

    def __init__(self, problem, rng):
        self.problem, self.rng = problem, rng
        self.size = 2 * len(problem.frame.plane)

    def sphere(self, r, known, samples):
        """Return (alpha, theta) of the worst point found at distance r, and the worst directions."""
        tried = [*known, *self.rng.standard_normal((samples, self.size))]
        tried = [d / np.linalg.norm(d) for d in tried if d.any()]
        found = sorted(((*self._value(r, d), d) for d in tried), key=lambda row: row[0])
        alpha, theta, direction = found[0]
        width = _SHRINK
        for _ in range(_REFINEMENTS):
            steps = direction + width * self.rng.standard_normal((_FEW, self.size)) / np.sqrt(self.size)
            near = [(*self._value(r, d), d) for d in (s / np.linalg.norm(s) for s in steps)]
            best = min(near, key=lambda row: row[0])
            if best[0] < alpha:
                alpha, theta, direction = best
            else:
                width *= _SHRINK
        return (alpha, theta), [direction, *(row[2] for row in found[:3])]

    def _value(self, r, direction):
        frame = self.problem.frame
        half = self.size // 2
        back = np.linalg.solve(frame.root.T, frame.plane.T)
        theta = self.problem.theta_star + r * self.problem.model.join(
            back @ direction[:half], back @ direction[half:]
        )
        if not self.problem.contains(theta):
            raise ValueError(f"radius must keep the balls inside the problem's region, got {r:g}")
        return local_constant(self.problem, theta), theta
