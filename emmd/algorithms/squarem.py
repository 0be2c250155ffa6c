"""SQUAREM: squared extrapolation of a fixed-point map, safeguarded by the loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.algorithm import Algorithm, Step
from emmd.core.checks import describe
from emmd.core.solve import make_algorithm

_NOISE = 64 * np.finfo(float).eps


@dataclass(frozen=True)
class Squarem(Algorithm):
    """Squared extrapolation, scheme S3 of Varadhan and Roland (2008), as a wrapper.

    From r = F(theta) - theta and v = F(F(theta)) - F(theta) - r it moves to
    theta - 2 alpha r + alpha^2 v with alpha = -||r|| / ||v||, applies F once more,
    and falls back to F(F(theta)) when the loss would increase.

    Parameters
    ----------
    base : str or Algorithm
        The map F; EM by default.
    """

    base: Any = "em"

    name = "squarem"

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase."""
        return True

    def __post_init__(self):
        object.__setattr__(self, "base", make_algorithm(self.base, "base"))
        if isinstance(self.base, Squarem):
            raise ValueError(f"base must be a plain fixed-point algorithm, got {describe(self.base)}")

    def step(self, problem, theta, memory):
        """Take one cycle: three map evaluations."""
        first = self.base.step(problem, theta, None)
        if first.failure is not None:
            return first
        second = self.base.step(problem, first.theta, None)
        if second.failure is not None:
            return first
        trial = _extrapolate(problem, theta, first.theta, second.theta)
        third = self.base.step(problem, trial, None)
        if _acceptable(third, second.loss):
            return Step(third.theta, first.loss, first.displacement, None, 3)
        return Step(second.theta, first.loss, first.displacement, None, 3)


def _extrapolate(problem, theta, once, twice):
    scale = problem.model.parameter_scale(problem.data)
    r = once - theta
    v = twice - once - r
    size = np.linalg.norm(scale * v)
    alpha = -max(1.0, float(np.linalg.norm(scale * r) / size)) if size > 0 else -1.0
    return theta - 2.0 * alpha * r + alpha * alpha * v


def _acceptable(step, bound):
    below = step.loss <= bound + _NOISE * (1.0 + abs(bound))
    return step.failure is None and below and np.isfinite(step.theta).all()
