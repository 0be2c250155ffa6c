"""Over-relaxation of a fixed-point map, with the locally optimal factor estimated from the path."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emmd.core.checks import number_or_word
from emmd.core.loop.acceleration import Secants, base_map, guarded_step
from emmd.core.loop.algorithm import Algorithm, Step

_WINDOW = 5
_SLOWEST = 1.0 - 1e-6


@dataclass(frozen=True)
class OverRelaxation(Algorithm):
    """theta + eta (F(theta) - theta), as a wrapper.

    The map's eigenvalues lambda become 1 - eta (1 - lambda): for EM the linear law
    of mirror descent with step eta. The best constant factor is
    eta* = 2 / (2 - lambda_max - lambda_min); it is estimated from the Ritz values of
    F' on the last five differences, so a mode that grows shows itself and is
    damped. A step that would increase the loss is refused: F(theta) is taken and the
    estimate starts afresh.

    Parameters
    ----------
    base : str or Algorithm
        The map F; EM by default.
    relaxation : float or "optimal"
        eta; a given factor is used as it is, except where the loss would increase.
    """

    base: Any = "em"
    relaxation: float | str = "optimal"

    name = "over_relaxation"
    fixed_point = False

    def __post_init__(self):
        relaxation = number_or_word("relaxation", self.relaxation, "optimal")
        self._settle(base=base_map(self.base), relaxation=relaxation)

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase when the base does not."""
        return self.base.monotone

    def step(self, problem, theta, memory):
        """Relax the map's value at theta, known from the last step, and test the loss there."""
        plain, history = memory or (self.base.step(problem, theta, None), [])
        evaluations = 1 if memory else 2
        if plain.failure is not None:
            return plain
        history = [*history, (theta, plain.theta)][-_WINDOW - 1 :]
        trial = theta + self._factor(problem, history) * (plain.theta - theta)
        following = guarded_step(problem, self.base, trial, plain.loss)
        if following is not None:
            return Step(trial, plain.loss, plain.displacement, (following, history), evaluations)
        after = self.base.step(problem, plain.theta, None)
        return Step(plain.theta, plain.loss, plain.displacement, (after, []), evaluations + 1)

    def image(self, problem, theta):
        """Return the first step: its safeguard needs the loss at the trial, no step from there."""
        plain = self.base.step(problem, theta, None)
        if plain.failure is not None:
            return plain
        factor = self._factor(problem, [(theta, plain.theta)])
        trial = theta + factor * (plain.theta - theta)
        if not problem.model.in_domain(trial) or self._rises(problem, trial, plain.loss):
            return plain
        return replace(plain, theta=trial, residual=factor * plain.residual)

    def _rises(self, problem, trial, bound):
        loss = problem.model.loss(problem.data, trial)
        return not np.isfinite(loss) or self.base.exceeds(problem, trial, loss, bound)

    def _factor(self, problem, history):
        if not isinstance(self.relaxation, str):
            return self.relaxation
        if len(history) < 3:
            return 1.0
        secants = Secants.of(history, problem.model.parameter_scale(problem.data))
        values = np.minimum(np.linalg.eigvals(secants.projected_jacobian()[1]).real, _SLOWEST)
        return 2.0 / (2.0 - values.max() - values.min())

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return 1 - eta (1 - lambda_i), lambda_i the base's factors."""
        if isinstance(self.relaxation, str):
            return super().linear_factors(complete_hessian, hessian, expected)
        factors = self.base.linear_factors(complete_hessian, hessian, expected)
        return 1.0 - self.relaxation * (1.0 - factors)
