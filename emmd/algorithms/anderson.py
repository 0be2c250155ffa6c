"""Anderson acceleration of a fixed-point map, safeguarded by the loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.algorithm import Algorithm, Step
from emmd.core.checks import positive_integer
from emmd.core.solve import make_algorithm

_NOISE = 64 * np.finfo(float).eps


@dataclass(frozen=True)
class Anderson(Algorithm):
    """Anderson acceleration (Walker and Ni 2011) of a map F, as a wrapper.

    The next point combines the last `window` + 1 values of F so that the
    combined residual F(theta) - theta is smallest; when the loss there would
    increase, the history is dropped and the plain F(theta) is taken.

    Parameters
    ----------
    base : str or Algorithm
        The map F; EM by default.
    window : int
        Number of differences kept.
    """

    base: Any = "em"
    window: int = 5

    name = "anderson"

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase."""
        return True

    def __post_init__(self):
        object.__setattr__(self, "base", make_algorithm(self.base, "base"))
        positive_integer("window", self.window)

    def step(self, problem, theta, memory):
        """Evaluate the map once and combine it with the history; test the loss there."""
        plain = self.base.step(problem, theta, None)
        if plain.failure is not None:
            return plain
        history = [*(memory or []), (theta, plain.theta)][-self.window - 1 :]
        trial = _combine(history, problem.model.parameter_scale(problem.data))
        with np.errstate(over="ignore", invalid="ignore"):
            loss = problem.model.loss(problem.data, trial) if np.isfinite(trial).all() else np.inf
        if loss <= plain.loss + _NOISE * (1.0 + abs(plain.loss)):
            return Step(trial, plain.loss, plain.displacement, history, plain.evaluations)
        return Step(plain.theta, plain.loss, plain.displacement, None, plain.evaluations)


def _combine(history, scale):
    image = history[-1][1]
    if len(history) == 1:
        return image
    residuals = np.array([(after - before) * scale for before, after in history])
    images = np.array([after for _, after in history])
    weights = np.linalg.lstsq(np.diff(residuals, axis=0).T, residuals[-1], rcond=1e-12)[0]
    return image - weights @ np.diff(images, axis=0)
