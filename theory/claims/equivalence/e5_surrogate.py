"""E5: EM's surrogate is the linearised loss plus the Bregman divergence, with this orientation."""

import itertools

from emmd.theory.assumptions import regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, reverse=False, share=1.0):
    """Compare the gain of Q with linear term plus divergence for pairs of probes."""
    problem = lab.problem
    for (name_u, u), (name_v, v) in itertools.permutations(lab.probes, 2):
        divergence = problem.divergence(v, u) if reverse else problem.divergence(u, v)
        slope, size = lab.linear_term(u, v)
        # a ridge penalty has no part in the E-step: it is added to both sides
        # both losses bound the terms of Q, up to the factor of the second expert's square, and of D_A
        budget = 3.0 * lab.loss_error(u, v) + lab.surrogate_gain_error(v, u) + size
        yield Comparison(
            predicted=slope + share * divergence + problem.penalty(u) - problem.penalty(v),
            observed=-lab.surrogate_gain(v, u),
            budget=budget,
            scale=abs(slope) + divergence,
            where={"theta": name_u, "theta_t": name_v, "u": u, "v": v},
            part=name_u,
        )


CLAIM = Claim(
    id="E5-surrogate",
    statement="EM's surrogate is the linearised loss plus the Bregman divergence D_A(theta, theta_t).",
    latex=r"Q(\theta|\theta_t) - Q(\theta_t|\theta_t) = \langle \nabla L(\theta_t), \theta - \theta_t \rangle"
    r" + D_A(\theta, \theta_t)",
    source="Kunstner, Kumar, Schmidt 2021; Fruytier, Mokhtari, Sanghavi 2025",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step", "divergence"),
    sabotages=(
        # true where A is quadratic
        Sabotage("reversed KL orientation", {"reverse": True}),
        Sabotage("nine tenths of the divergence", {"share": 0.9}, truth=1.0),
    ),
    assumptions=(regular_design,),
    proof="E5",
)
