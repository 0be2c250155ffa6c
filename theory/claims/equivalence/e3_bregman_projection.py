"""E3: the M-step is the Bregman projection of the dual step onto the model set."""

import numpy as np

from emmd.core.algorithm import inner_failure
from emmd.core.solve import make_algorithm
from emmd.theory.assumptions import regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.rounding import inner_rounding


def measure(lab, step_size=1.0):
    """Compare EM's next iterate with that of a generic solver on the projection's objective."""
    algorithm = make_algorithm("projected_mirror_descent", step_size=step_size)
    for label, theta in (lab.probes[0], lab.probes[1]):
        m_step = lab.em_step(theta)
        if inner_failure(m_step) is not None:
            continue
        step = algorithm.step(lab.problem, theta, None)
        residual = np.full(len(theta), 2e-9) * lab.scale + inner_rounding(lab.problem, m_step.residual)
        residual = residual + 2.0 * (lab.gradient_error(theta) + lab.gradient_error(m_step.theta))
        complete, budget = _metric(lab, theta, m_step.theta, residual)
        if budget is None or step.failure is not None:
            continue
        yield Comparison(
            predicted=0.0,
            observed=_norm(complete, step.theta - m_step.theta),
            budget=budget,
            scale=_norm(complete, m_step.theta - theta),
            where={"point": label, "theta": theta},
        )


def _metric(lab, theta, target, residual):
    """Return hess Q(. | theta) at the M-step and what a gradient error means in that metric."""
    r = lab.problem.responsibilities(theta)
    shifts = 1e-5 / lab.scale
    slopes = [
        lab.model.surrogate_gradient(lab.problem.data, r, target + h * e)
        - lab.model.surrogate_gradient(lab.problem.data, r, target - h * e)
        for h, e in zip(shifts, np.eye(len(theta)))
    ]
    hessian = np.array(slopes) / (2.0 * shifts[:, None])
    hessian = 0.5 * (hessian + hessian.T)
    outer = np.outer(lab.scale, lab.scale)
    inverse = np.linalg.inv(hessian / outer)
    if not (np.diag(inverse) > 0).all():
        return hessian, None
    # || H^-1 g ||_H <= sum_j |g_j| sqrt((H^-1)_jj), doubled for the differences in H
    return hessian, float(2.0 * (residual / lab.scale) @ np.sqrt(np.diag(inverse)))


def _norm(metric, vector):
    return float(np.sqrt(max(vector @ metric @ vector, 0.0)))


CLAIM = Claim(
    id="E3-bregman-projection",
    statement="The M-step is the Bregman projection of the dual step: argmin E[D_A(eta(x; theta), eta~(x))].",
    latex=r"\theta^+ = \arg\min_\theta E[D_A(\eta(x; \theta), \tilde\eta(x))]",
    source="Fruytier, Mokhtari, Sanghavi 2025; exact form derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("mirror step 1.1", {"step_size": 1.1}),
        Sabotage("mirror step 0.9", {"step_size": 0.9}),
    ),
    assumptions=(regular_design,),
)
