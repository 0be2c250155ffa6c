"""EM: an E-step and an exact M-step."""

from dataclasses import dataclass

import numpy as np

from emmd.core.algorithm import Algorithm, Step, inner_failure
from emmd.core.pencil import pencil
from emmd.kernels.solvers.extrapolate import MEMORY, NO_PATH, remember


@dataclass(frozen=True)
class EM(Algorithm):
    """Expectation-maximisation (Dempster, Laird, Rubin 1977) with the exact M-step.

    It is (projected) mirror descent with unit step and the model's own mirror
    map (Fruytier, Mokhtari, Sanghavi 2025); this file knows nothing of that.
    """

    name = "em"

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase."""
        return True

    def step(self, problem, theta, memory):
        """E-step, then M-step; `memory` holds the last displacements, which foretell where it ends."""
        past = NO_PATH if memory is None else memory
        loss, m_step = problem.model.em_step(problem.data, theta, past)
        displacement = m_step.theta - theta
        memory = np.empty((min(len(past) + 1, MEMORY), len(theta)))
        remember(displacement, past, memory)
        return Step(m_step.theta, loss, displacement, memory, failure=inner_failure(m_step))

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return the eigenvalues of M = I_com^{-1} I_mis, from the symmetric pencil."""
        return pencil(complete_hessian - hessian, complete_hessian)[0]
