"""Gradient descent on the marginal likelihood, with a given step or backtracking."""

from dataclasses import dataclass

import numpy as np

from emmd.core.checks import number_or_word
from emmd.core.loop.algorithm import Algorithm, Step
from emmd.core.numerics.rounding import exceeds


@dataclass(frozen=True)
class GradientDescent(Algorithm):
    """theta+ = theta - step_size * grad L(theta).

    Parameters
    ----------
    step_size : float or "backtracking"
        Backtracking doubles the last accepted step and halves it until the loss
        does not increase and the gradient still points forward: on a quadratic
        that is Armijo's rule with constant 1/2, without its rounding floor.
    """

    step_size: float | str = 1.0

    name = "gradient_descent"
    remedy = "Use a smaller step_size, or step_size='backtracking'."

    def __post_init__(self):
        self._settle(step_size=number_or_word("step_size", self.step_size, "backtracking"))

    @property
    def monotone(self) -> bool:
        """Backtracking never lets the loss increase."""
        return self.step_size == "backtracking"

    def step(self, problem, theta, memory):
        """Take one gradient step."""
        step = self._step(problem, theta, memory)
        step.displacement = -problem.model.precondition(problem.data, -step.displacement, theta)
        return step

    def image(self, problem, theta):
        """Do the same; the displacement is minus the gradient, without the information matrix."""
        return self._step(problem, theta, None)

    def _step(self, problem, theta, memory):
        loss, gradient = problem.model.loss_and_gradient(problem.data, theta)
        if not isinstance(self.step_size, str):
            return Step(theta - self.step_size * gradient, loss, -gradient)
        length, evaluations = _backtrack(problem, theta, loss, gradient, 2.0 * (memory or 0.5))
        return Step(theta - length * gradient, loss, -gradient, length, evaluations)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return 1 - step_size mu_i, mu_i the eigenvalues of hess L."""
        if isinstance(self.step_size, str):
            return super().linear_factors(complete_hessian, hessian, expected)
        return 1.0 - self.step_size * np.linalg.eigvalsh(hessian)


def _backtrack(problem, theta, loss, gradient, length):
    evaluations = 1
    while True:
        evaluations += 1
        point = theta - length * gradient
        if not problem.model.in_domain(point):
            length *= 0.5
            continue
        trial, slope = problem.model.loss_and_gradient(problem.data, point)
        # a step so short that theta does not move is all that rounding leaves
        accepted = slope @ gradient >= 0.0 and not exceeds(problem, point, trial, loss)
        if accepted or (point == theta).all():
            return length, evaluations
        length *= 0.5
