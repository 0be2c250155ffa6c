"""E4: for models that are linear in theta, one EM step is one unprojected mirror step of unit length."""

import numpy as np

from emmd.core.loop.algorithm import inner_failure
from emmd.core.loop.solve import make_algorithm
from emmd.core.protocols.steps import MStep
from emmd.theory.assumptions import linear_model_set, regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import inner_rounding


def measure(lab, step_size=1.0, evidence=1.0, exact=True):
    """Compare in the dual space (complex-step gradient) and between the next iterates (Newton inverse)."""
    problem = lab.problem
    for label, theta in lab.probes:
        m_step = lab.em_step(theta, evidence) if exact else _one_newton_step(lab, theta)
        if inner_failure(m_step) is not None:
            continue
        budget = lab.gradient_error(theta) + lab.complex_step_error(theta) + lab.gradient_error(m_step.theta)
        unit = inner_rounding(problem, 1.0, m_step.theta)
        budget = budget + m_step.residual * unit
        yield from componentwise(
            problem.mirror_gradient(theta) - step_size * problem.definition.gradient(theta),
            problem.mirror_gradient(m_step.theta),
            budget,
            unit,
            f"dual, {label}",
            space="dual",
            point=label,
            theta=theta,
        )
        yield from _primal(problem, label, theta, m_step, step_size, budget)


def _one_newton_step(lab, theta):
    """Return where generalised EM goes, passed off as an exact M-step."""
    step = make_algorithm("generalized_em").step(lab.problem, theta, None)
    return MStep(step.theta, residual=0.0, solved=step.failure is None, curvature=1.0)


def _primal(problem, label, theta, m_step, step_size, budget):
    dual = problem.mirror_gradient(theta) - step_size * problem.gradient(theta)
    mirror = problem.mirror_inverse(dual, theta)
    complete = problem.complete_hessian(m_step.theta)
    regular = problem.model.regular(problem.data, m_step.theta, complete)
    scale = np.sqrt(np.diag(regular))
    try:
        inverse = np.linalg.inv(regular / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return
    if not mirror.solved or not (np.diag(inverse) > 0).all():
        return
    total = budget + inner_rounding(problem, mirror.residual, mirror.theta)
    yield Comparison(
        predicted=0.0,
        observed=_norm(complete, mirror.theta - m_step.theta),
        # || H^-1 r ||_H <= sum_j |r_j| sqrt((H^-1)_jj), doubled for the change of H between the two points
        budget=float(2.0 * (total / scale) @ np.sqrt(np.diag(inverse))),
        scale=_norm(complete, m_step.theta - theta),
        where={"space": "primal", "point": label, "theta": theta},
        part="primal",
    )


def _norm(metric, vector):
    return float(np.sqrt(max(vector @ metric @ vector, 0.0)))


CLAIM = Claim(
    id="E4-em-is-mirror-descent",
    statement="One EM step is one mirror-descent step with unit step size and the model's own mirror map.",
    latex=r"\nabla A(\theta^+) = \nabla A(\theta) - \nabla L(\theta)",
    source="Fruytier, Mokhtari, Sanghavi 2025; Kunstner, Kumar, Schmidt 2021; exact form derived",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step", "m_step"),
    sabotages=(
        Sabotage("mirror step 1.1", {"step_size": 1.1}, truth=1.0),
        Sabotage("mirror step 0.9", {"step_size": 0.9}, truth=1.0),
        Sabotage("one Newton step for the M-step", {"exact": False}),
        Sabotage("missing factor 2 in the posterior", {"evidence": 0.5}),
    ),
    assumptions=(regular_design, linear_model_set),
    proof="E4",
)
