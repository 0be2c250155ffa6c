"""Mirror descent with the model's own mirror map and any step size."""

from dataclasses import dataclass

from emmd.core.checks import positive_number
from emmd.core.loop.algorithm import Algorithm, Step, inner_failure
from emmd.fits.pencil import pencil


@dataclass(frozen=True)
class MirrorDescent(Algorithm):
    """grad A(theta+) = grad A(theta) - step_size * grad L(theta).

    The gradient is that of the marginal likelihood; no E-step and no M-step is
    involved. With unit step its iterates are those of EM.

    Parameters
    ----------
    step_size : float
    """

    step_size: float = 1.0

    name = "mirror_descent"
    remedy = "Use a smaller step_size, or start closer to an optimum."

    def __post_init__(self):
        self._settle(step_size=positive_number("step_size", self.step_size))

    def step(self, problem, theta, memory):
        """Take one dual step and pull it back by a Newton inverse."""
        problem.require_mirror_map()
        model, data = problem.model, problem.data
        loss, gradient = model.loss_and_gradient(data, theta)
        dual = model.mirror_gradient(data, theta) - self.step_size * gradient
        inner = model.mirror_inverse(data, dual, theta)
        displacement = (inner.theta - theta) / self.step_size
        failed, left = inner_failure(inner), inner.residual
        return Step(inner.theta, loss, displacement, failure=failed, residual=left)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return 1 - step_size (1 - lambda_i), lambda_i the eigenvalues of M."""
        return 1.0 - self.step_size * pencil(hessian, complete_hessian)[0]
