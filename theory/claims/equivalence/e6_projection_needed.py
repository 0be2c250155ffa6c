"""E6: K unsymmetric experts form a curved set: the dual step leaves it, the projection brings it back."""

import numpy as np

from emmd.core.loop.algorithm import inner_failure
from emmd.theory.assumptions import curved_model_set, regular_design, step_in_region
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.rounding import inner_rounding, pulled_back_rounding


def measure(lab, projected=True):
    """Check that what the projection leaves is orthogonal to the set; unprojected, that nothing is left."""
    definition = lab.problem.definition
    for label, theta in lab.probes[:3]:
        m_step = lab.em_step(theta)
        if inner_failure(m_step) is not None:
            continue
        dual, reached, left = _dual_and_reached(lab, theta, m_step.theta)
        errors = sum(lab.natural_rounding(each)[1] for each in (theta, m_step.theta))
        unit = inner_rounding(lab.problem, 1.0, m_step.theta)
        budget = m_step.residual * unit
        sizes = np.abs(dual) + np.abs(reached)
        budget = budget + 2.0 * pulled_back_rounding(lab.problem, m_step.theta, sizes, 3.0 * errors)
        if projected:
            # with a ridge penalty the projection minimises E[D_A] plus the penalty
            observed = definition.pull_back(m_step.theta, reached - dual)
            observed = observed + definition.penalty_gradient(m_step.theta)
        else:
            # the formula of linear model sets: mean parameters pulled back at the two points
            after = definition.pull_back(m_step.theta, reached)
            observed = after - definition.pull_back(theta, dual)
        for j, value in enumerate(observed):
            where = {"point": label, "component": j, "theta": theta, "relative distance to the set": left}
            yield Comparison(0.0, float(value), float(budget[j]), float(unit[j]), where, part=label)


def _dual_and_reached(lab, theta, target):
    """Return grad A at the dual step and at the projection, and the distance over the step's length."""
    start, reached = lab.mean_statistics(theta), lab.mean_statistics(target)
    dual = start - lab.natural_gradient(theta)[1]
    weights = lab.problem.weights
    left, whole = (np.sqrt(weights @ (dual - point) ** 2).sum() for point in (reached, start))
    return dual, reached, float(left / whole)


CLAIM = Claim(
    id="E6-projection-needed",
    statement="For K experts the dual step leaves the model set; what the projection leaves is orthogonal.",
    latex=r"E[J(x; \theta^+)' (\nabla A(\eta(x; \theta^+)) - \nabla A(\tilde\eta(x)))] = 0, \quad"
    r" \tilde\eta \notin F",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("unprojected mirror step", {"projected": False}),),
    assumptions=(regular_design, curved_model_set, step_in_region),
)
