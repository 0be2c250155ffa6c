r"""E7: with a conjugate prior EM-MAP is (projected) mirror descent with step 1 / (1 + nu).

The prior adds nu A(eta) - <m, eta> to every row's loss, m = nu grad A(eta(x; centre)). One dual step
of length 1 / (1 + nu) on the marginal loss with the prior, then the projection, is the MAP update:

    grad A(eta~) = grad A(eta) - grad f(eta) / (1 + nu),   f = l + nu A - <m, eta>
    E[J(x; theta+)' (grad A(eta(x; theta+)) - grad A(eta~(x)))] = 0

On a linear model set J does not depend on theta, and the second line says
grad A(theta+) = grad A(theta) - grad F(theta) / (1 + nu): nothing is projected. A ridge penalty R
takes part in the projection only, as R / (1 + nu).
"""

import numpy as np

from emmd.core.loop.algorithm import inner_failure
from emmd.core.problem import Problem
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.theory.assumptions import no_prior, regular_design, step_in_region
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import inner_rounding, pulled_back_rounding

_STRENGTHS = (0.5, 3.0)


def measure(lab, step="1 / (1 + nu)", statistics=True, evidence=1.0):
    """Compare the dual step with the iterate of EM-MAP, both pulled back at that iterate."""
    for nu in _STRENGTHS:
        problem = lab.once(("E7", nu), lambda nu=nu: _with_prior(lab, nu))
        for label, theta in lab.probes[:3]:
            m_step = problem.m_step(lab.responsibilities(theta, evidence), theta)
            if inner_failure(m_step) is not None or not lab.in_region(m_step.theta):
                continue
            length = 1.0 if step == "unit" else 1.0 / (1.0 + nu)
            dual, reached, sizes = _both_sides(lab, problem, theta, m_step.theta, length, statistics)
            budget = _budget(lab, problem, theta, m_step, sizes)
            unit = inner_rounding(lab.problem, 1.0, m_step.theta)
            part = f"nu {nu}, {label}"
            yield from componentwise(dual, reached, budget, unit, part, nu=nu, point=label, theta=theta)


def _budget(lab, problem, theta, m_step, sizes):
    """Bound the errors of statistics at three points, pulled back, and of the M-step."""
    points = theta, m_step.theta, problem.model.centre
    errors = sum(lab.natural_rounding(point)[1] for point in points)
    pulled = pulled_back_rounding(lab.problem, m_step.theta, sizes, 3.0 * errors)
    return 2.0 * pulled + inner_rounding(lab.problem, m_step.residual, m_step.theta)


def _with_prior(lab, nu):
    centre = lab.inside(lab.centre, lab.random_points(f"E7 centre {nu}", 1, 0.5)[0], lab.in_region)
    model = ConjugatePrior(lab.model, nu, centre)
    return Problem(model, lab.problem.X, lab.problem.y, lab.problem.weights)


def _both_sides(lab, problem, theta, target, length, statistics):
    """Return E[J' grad A] of the dual step and of the iterate, J at the iterate, and their terms' moduli."""
    nu, definition = problem.model.strength, lab.problem.definition
    start, slope = lab.mean_statistics(theta), lab.natural_gradient(theta)[1]
    pulled = nu * lab.mean_statistics(problem.model.centre) if statistics else 0.0
    dual = start - length * (slope + nu * start - pulled)
    reached = lab.mean_statistics(target)
    sides = [definition.pull_back(target, mean) for mean in (dual, reached)]
    sizes = np.abs(start) + np.abs(slope) + np.abs(pulled) + np.abs(reached)
    return sides[0], sides[1] + definition.penalty_gradient(target) / (1.0 + nu), sizes


CLAIM = Claim(
    id="E7-map-step",
    statement="With nu conjugate pseudo-observations per row EM-MAP is mirror descent with step 1/(1 + nu).",
    latex=r"\nabla A(\theta^+) = \nabla A(\theta) - \tfrac{1}{1 + \nu} \nabla F(\theta), \quad"
    r" F = L + \nu A - \langle m, \theta \rangle",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("MAP with unit step", {"step": "unit"}),
        Sabotage("pseudo-observations without their statistics", {"statistics": False}),
        Sabotage("missing factor 2 in the posterior", {"evidence": 0.5}),
    ),
    assumptions=(regular_design, no_prior, step_in_region),
    proof="E7",
)
