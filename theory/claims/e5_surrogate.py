"""E5: EM's surrogate is the linearised loss plus the Bregman divergence, with this orientation."""

import itertools

import numpy as np

from theory.assumptions import linear_model_set, regular_design
from theory.claim import Claim, Comparison, Kind, Sabotage
from theory.numeric.rounding import loss_rounding


def surrogate(problem, theta, responsibilities):
    """Return Q(theta): the expected complete negative log-likelihood, from the density by NumPy."""
    a, b = problem.model.predictors(problem.data, theta)
    joint = problem.model.log_joint
    plus, minus = joint(a, b, problem.data.y, 1.0), joint(a, b, problem.data.y, -1.0)
    return -float(problem.weights @ (responsibilities * plus + (1.0 - responsibilities) * minus))


def measure(lab, reverse=False):
    """Compare the gain of Q with linear term plus divergence for pairs of probes."""
    problem = lab.problem
    for (name_u, u), (name_v, v) in itertools.permutations(lab.probes, 2):
        p = problem.responsibilities(v)
        divergence = problem.divergence(v, u) if reverse else problem.divergence(u, v)
        slope = problem.gradient(v) @ (u - v)
        # both losses bound the terms of Q, up to the factor of the second expert's square
        budget = 4.0 * (loss_rounding(problem, u) + loss_rounding(problem, v))
        budget += float(np.abs(u - v) @ lab.gradient_error(v))
        yield Comparison(
            predicted=slope + divergence,
            observed=surrogate(problem, u, p) - surrogate(problem, v, p),
            budget=budget,
            scale=abs(slope) + divergence,
            where={"theta": name_u, "theta_t": name_v, "u": u, "v": v},
        )


CLAIM = Claim(
    id="E5-surrogate",
    statement="EM's surrogate is the linearised loss plus the Bregman divergence D_A(theta, theta_t).",
    latex=r"Q(\theta|\theta_t) - Q(\theta_t|\theta_t) = \langle \nabla L(\theta_t), \theta - \theta_t \rangle"
    r" + D_A(\theta, \theta_t)",
    source="Kunstner, Kumar, Schmidt 2021; Fruytier, Mokhtari, Sanghavi 2025",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("reversed KL orientation", {"reverse": True}),),
    assumptions=(regular_design, linear_model_set),
    proof="E5",
)
