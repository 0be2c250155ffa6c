"""C4, the exact form: what a step of EM does to the divergence from any point, with no inequality left.

For a stationary point theta* below whose loss no iterate falls, the last two terms only help, so the
posterior divergence bounds the step: C4's factor is the largest D_B(theta*, theta) / D_A(theta*, theta).
"""

from itertools import pairwise

from emmd.theory.assumptions import linear_model_set, proper_step, regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.rounding import inner_rounding
from emmd.theory.numeric.spread import spread_indices

_STEPS = 20


def measure(lab, posterior=1.0, gap=1.0, last=1.0):
    """Compare both sides along the path; the three factors are 1 in the truth."""
    target, problem = lab.reference.theta, lab.problem
    path = lab.path(lab.theta0)
    pairs = list(pairwise(path.theta))
    for t in spread_indices(len(pairs), _STEPS):
        before, after = pairs[t]
        observed = problem.divergence(target, after)
        predicted = (
            posterior * problem.posterior_divergence(target, before)
            - gap * (path.loss[t + 1] - lab.reference.loss)
            - last * problem.posterior_divergence(after, before)
        )
        # a residual r of the M-step enters as <r, theta* - theta+>
        inexact = inner_rounding(problem, 1e-13, after) + lab.gradient_error(after)
        budget = lab.loss_error(after, target) + float(inexact @ abs(after - target))
        budget += lab.divergence_error(target, after)
        budget += lab.posterior_error(target, before) + lab.posterior_error(after, before)
        where = {"iteration": int(t), "theta_t": before, "theta_t+1": after}
        yield Comparison(float(predicted), observed, budget, observed, where)


CLAIM = Claim(
    id="C4-exact-step",
    statement="After a step D_A(theta*, .) is the posterior divergence from theta* before it, less the gap"
    " that is left and the posterior divergence of the step, exactly.",
    latex=r"D_A(\theta^*, \theta_{t+1}) = D_{A_y}(\theta^*, \theta_t) - (L_{t+1} - L^*)"
    r" - D_{A_y}(\theta_{t+1}, \theta_t)",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("half the posterior divergence", {"posterior": 0.5}, truth=1.0),
        Sabotage("without the gap that is left", {"gap": 0.0}, truth=1.0),
        Sabotage("without the step's own divergence", {"last": 0.0}, truth=1.0),
    ),
    assumptions=(regular_design, linear_model_set, proper_step, strict_minimum),
)
