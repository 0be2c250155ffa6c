"""EM: an E-step and an exact M-step."""

from dataclasses import dataclass

import numpy as np

from emmd.core.loop.algorithm import Algorithm, Step, inner_failure
from emmd.fits.pencil import pencil
from emmd.kernels.solvers.extrapolate import MEMORY, extrapolate


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
        """E-step, then M-step; `memory` holds the last displacements, shape (m, p), the last one first."""
        start = None if memory is None else _extrapolated(problem, theta, memory)
        loss, m_step = problem.model.em_step(problem.data, theta, start)
        displacement = m_step.theta - theta
        memory = _remembered(displacement, memory)
        failed, left = inner_failure(m_step), m_step.residual
        return Step(m_step.theta, loss, displacement, memory, failure=failed, residual=left)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return the eigenvalues of M = I_com^{-1} I_mis, from the symmetric pencil."""
        return pencil(complete_hessian - hessian, complete_hessian)[0]


def _extrapolated(problem, theta, displacements):
    """Return where the path leads, shape (p,), or None: the M-step begins there, and ends where it must."""
    if len(displacements) < 2:
        return None
    start, weights = np.empty_like(theta), problem.model.parameter_scale(problem.data)
    return start if extrapolate(weights, theta, displacements, start) else None


def _remembered(displacement, past):
    """Return the displacements to be remembered."""
    kept = 0 if past is None else min(len(past), MEMORY - 1)
    displacements = np.empty((kept + 1, len(displacement)))
    displacements[0] = displacement
    if kept:
        displacements[1:] = past[:kept]
    return displacements
