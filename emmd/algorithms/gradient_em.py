"""Gradient EM: a fixed number of gradient steps on the surrogate instead of the M-step."""

from dataclasses import dataclass

import numpy as np

from emmd.core.checks import MANY, positive_integer, positive_number
from emmd.core.loop.algorithm import Algorithm, Step
from emmd.fits.pencil import pencil


@dataclass(frozen=True)
class GradientEM(Algorithm):
    """E-step, then `inner_steps` gradient steps on Q(. | theta_t).

    Parameters
    ----------
    step_size : float
    inner_steps : int
        One inner step is gradient descent; infinitely many are EM.
    """

    step_size: float = 1.0
    inner_steps: int = 1

    name = "gradient_em"
    remedy = "Use a smaller step_size, or start closer to an optimum."

    def __post_init__(self):
        step_size = positive_number("step_size", self.step_size)
        self._settle(
            step_size=step_size, inner_steps=positive_integer("inner_steps", self.inner_steps, maximum=MANY)
        )

    def step(self, problem, theta, memory):
        """E-step, then gradient steps on the expected complete loss."""
        step = self.image(problem, theta)
        step.displacement = -problem.model.precondition(problem.data, -step.displacement, theta)
        return step

    def image(self, problem, theta):
        """Do the same; the displacement is minus the first gradient, without the information matrix."""
        model, data = problem.model, problem.data
        e_step = model.e_step(data, theta)
        inner = theta
        for k in range(self.inner_steps):
            slope = model.surrogate_gradient(data, e_step.responsibilities, inner)
            if k == 0:
                first = slope
            inner = inner - self.step_size * slope
            if not model.in_domain(inner):
                break
        return Step(inner, e_step.loss, -first)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return the eigenvalues of I - [I - (I - step H_A)^m] H_A^{-1} H_L.

        With H_A = V diag(s) V' the bracket times H_A^{-1} is V diag(r) V',
        r_i = step * sum_{k < m} (1 - step s_i)^k; the eigenvalues of V diag(r) V' H_L are
        those of a pencil with H_L when all r_i > 0.
        """
        s, V = np.linalg.eigh(complete_hessian)
        ratio = self.step_size * np.polyval(np.ones(self.inner_steps), 1.0 - self.step_size * s)
        if (ratio > 0).all():
            return 1.0 - pencil(hessian, (V / ratio) @ V.T)[0]
        return 1.0 - np.linalg.eigvals((V * ratio) @ V.T @ hessian)
