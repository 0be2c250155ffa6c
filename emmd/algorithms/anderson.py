"""Anderson acceleration of a fixed-point map: bounded, safeguarded by the loss, turned away from saddles."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.checks import positive_integer
from emmd.core.loop.acceleration import Secants, base_map, first_bound, guarded_step
from emmd.core.loop.algorithm import Algorithm, Step

_CHANGE = 4.0


@dataclass(frozen=True)
class Anderson(Algorithm):
    """Anderson acceleration (Walker and Ni 2011) of a map F, as a wrapper.

    The next point combines the last `window` + 1 values of F so that the
    combined residual F(theta) - theta, in units of the predictors, is smallest.
    On a linear map that is GMRES on I - F'. Three safeguards:

    * Where F' restricted to the secants has an eigenvalue of at least 1, the loss
      has negative curvature and the combination would run to the saddle. There the
      step is r outside their span and |I - F'|^{-1} r within it: the saddle-free
      step of Dauphin et al. (2014), from secants.
    * A step is at most `step_max` times as long as r = F(theta) - theta at first.
      The bound grows fourfold when a step that met it is accepted; a refused step
      sets it to a quarter of its length.
    * A step that would increase the loss is refused: the plain F(theta) is taken
      and the history dropped. The test is free, see `emmd.core.loop.acceleration`.

    Parameters
    ----------
    base : str or Algorithm
        The map F; EM by default.
    window : int
        Number of differences kept, the depth m of Anderson(m).
    step_max : float
        First bound of the step's length over that of F, at least 1.
    """

    base: Any = "em"
    window: int = 10
    step_max: float = 4.0

    name = "anderson"
    fixed_point = False

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase when the base does not."""
        return self.base.monotone

    def __post_init__(self):
        window = positive_integer("window", self.window)
        self._settle(base=base_map(self.base), window=window, step_max=first_bound(self.step_max))

    def step(self, problem, theta, memory):
        """Combine the map's value at theta, known from the last step, with the history; test it there."""
        plain, history, bound = memory or (self.base.step(problem, theta, None), [], self.step_max)
        evaluations = 1 if memory else 2
        if plain.failure is not None:
            return plain
        history = [*history, (theta, plain.theta)][-self.window - 1 :]
        scale = problem.model.parameter_scale(problem.data)
        move, ratio = _move(history, scale, bound)
        short = min(1.0, bound / ratio)
        trial = theta + short * move / scale
        following = guarded_step(problem, self.base, trial, plain.loss)
        if following is not None:
            kept = (following, history, _CHANGE * bound if short < 1.0 else bound)
            return Step(trial, plain.loss, plain.displacement, kept, evaluations)
        after = self.base.step(problem, plain.theta, None)
        kept = (after, [], max(1.0, min(bound, ratio) / _CHANGE))
        return Step(plain.theta, plain.loss, plain.displacement, kept, evaluations + 1)


def _move(history, scale, bound):
    """Return the scaled step and its length over that of the plain step."""
    r = (history[-1][1] - history[-1][0]) * scale
    length = np.linalg.norm(r)
    if len(history) == 1 or length == 0:
        return r, 1.0
    secants = Secants.of(history, scale)
    basis, jacobian = secants.projected_jacobian()
    values, vectors = np.linalg.eig(jacobian)
    if (values.real >= 1.0).any():
        move = _away_from_saddle(r, basis, values, vectors, bound)
    else:
        move = _smallest_residual(r, secants)
    return move, max(float(np.linalg.norm(move) / length), np.finfo(float).tiny)


def _smallest_residual(r, secants):
    """Return the step of Anderson's method: residual of the best combination, plus the way to it."""
    change = secants.images - secants.points
    size = np.linalg.norm(change, axis=0)
    size = np.where(size > 0, size, 1.0)
    weights = np.linalg.lstsq(change / size, r, rcond=1e-12)[0] / size
    return r - secants.images @ weights


def _away_from_saddle(r, basis, values, vectors, bound):
    """Return r outside the secants' span and |I - F'|^{-1} r within it, no eigenvalue below 1 / bound."""
    gap = np.maximum(np.abs(1.0 - values), 1.0 / max(bound, _CHANGE))
    within = basis.T @ r
    solved = vectors @ (np.linalg.solve(vectors, within.astype(complex)) / gap)
    return r - basis @ within + basis @ solved.real
