"""Generalised EM: one Newton step on the surrogate instead of the exact M-step."""

from dataclasses import dataclass

import numpy as np

from emmd.core.loop.algorithm import Algorithm, Step
from emmd.core.numerics.rounding import exceeds
from emmd.core.status import Status
from emmd.fits.pencil import pencil, solve_positive

_HALVINGS = 60


@dataclass(frozen=True)
class GeneralizedEM(Algorithm):
    """theta+ = theta - I_com(theta)^{-1} grad L(theta), one Newton step on Q(. | theta) from theta.

    By Fisher's identity grad Q(. | theta) at theta is grad L(theta), and its Hessian
    there is I_com(theta). The step is halved until Q decreases, which makes it a
    generalised EM (Dempster, Laird, Rubin 1977) and the loss decrease. At an optimum
    its Jacobian is I - I_com^{-1} hess L = M, that of EM; away from it the M-step is
    not exact, so what holds for EM step by step (E4, C1) does not hold here.
    """

    name = "generalized_em"

    @property
    def monotone(self) -> bool:
        """Never lets the loss increase."""
        return True

    def step(self, problem, theta, memory):
        """E-step, then one safeguarded Newton step on the expected complete loss."""
        model, data = problem.model, problem.data
        e_step = model.e_step(data, theta)
        slope = model.surrogate_gradient(data, e_step.responsibilities, theta)
        complete = model.regular(data, theta, model.complete_hessian(data, theta))
        newton = -solve_positive(complete, slope)
        before = model.surrogate(data, e_step.responsibilities, theta)
        length = 1.0
        for _ in range(_HALVINGS):
            trial = theta + length * newton
            inside = model.in_domain(trial)
            after = model.surrogate(data, e_step.responsibilities, trial) if inside else np.inf
            if not exceeds(problem, trial, after, before):
                return Step(trial, e_step.loss, newton)
            length *= 0.5
        return Step(theta, e_step.loss, newton, failure=Status.INNER_FAILED)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return the eigenvalues of I - I_com^{-1} hess L, one minus those of the pencil of the two."""
        return 1.0 - pencil(hessian, complete_hessian)[0]
