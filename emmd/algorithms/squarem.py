"""SQUAREM: squared extrapolation of a fixed-point map, with a bounded step, safeguarded by the loss."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emmd.core.loop.acceleration import base_map, first_bound, guarded_step
from emmd.core.loop.algorithm import Algorithm, Step

_GROWTH = 4.0


@dataclass(frozen=True)
class Squarem(Algorithm):
    """Squared extrapolation, scheme S3 of Varadhan and Roland (2008), as a wrapper.

    From r = F(theta) - theta and v = F(F(theta)) - F(theta) - r it moves to
    theta - 2 alpha r + alpha^2 v with alpha = -||r|| / ||v|| (norms in units of the
    predictors), bounded to 1 <= |alpha| <= the current bound, and applies F once
    more. The bound starts at `step_max`; it grows fourfold when a step of that
    length was accepted, and shrinks fourfold, to no less than `step_max`, when one
    was refused. A refused trial falls back to F(F(theta)).

    Near an optimum the error in an eigenvector of F' with eigenvalue lambda is
    multiplied by lambda [1 - |alpha| (1 - lambda)]^2 a cycle of three evaluations.

    Parameters
    ----------
    base : str or Algorithm
        The map F; EM by default.
    step_max : float
        First bound of |alpha|, at least 1.
    """

    base: Any = "em"
    step_max: float = 64.0

    name = "squarem"
    fixed_point = False

    def __post_init__(self):
        self._settle(base=base_map(self.base), step_max=first_bound(self.step_max))

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase when the base does not."""
        return self.base.monotone

    def step(self, problem, theta, memory):
        """Take one cycle: three map evaluations."""
        first = self.base.step(problem, theta, None)
        if first.failure is not None:
            return first
        second = self.base.step(problem, first.theta, None)
        if second.failure is not None:
            # the next cycle starts there and reports the failure
            return replace(first, memory=memory, evaluations=2)
        bound = memory or self.step_max
        trial, alpha = _extrapolate(problem, theta, first.theta, second.theta, bound)
        third = guarded_step(problem, self.base, trial, second.loss)
        if third is not None:
            bound = _GROWTH * bound if alpha == bound else bound
            return Step(third.theta, first.loss, first.displacement, bound, 3)
        bound = max(self.step_max, bound / _GROWTH) if alpha == bound else bound
        return Step(second.theta, first.loss, first.displacement, bound, 3)


def _extrapolate(problem, theta, once, twice, bound):
    """Return the extrapolated point and |alpha|."""
    scale = problem.model.parameter_scale(problem.data)
    r = once - theta
    v = twice - once - r
    size = np.linalg.norm(scale * v)
    alpha = min(max(1.0, float(np.linalg.norm(scale * r) / size)), bound) if size > 0 else 1.0
    return theta + 2.0 * alpha * r + alpha * alpha * v, alpha
