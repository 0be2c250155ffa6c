"""R1, the identity: the gap between the loss and its relative bound is a posterior KL divergence."""

import itertools

from emmd.theory.assumptions import regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, constant=1.0, reverse=False):
    """Compare L(u) with linear term, divergence and posterior KL for pairs of probes."""
    problem = lab.problem
    for (name_u, u), (name_v, v) in itertools.permutations(lab.probes, 2):
        posterior = problem.posterior_divergence(*((v, u) if reverse else (u, v)))
        divergence = problem.divergence(u, v)
        slope, size = lab.linear_term(u, v)
        budget = lab.loss_error(u, v) + size + lab.divergence_error(u, v) + lab.posterior_error(u, v)
        yield Comparison(
            # a ridge penalty is not linearised: it stands on both sides
            predicted=slope + constant * divergence - posterior + problem.penalty(u) - problem.penalty(v),
            observed=problem.loss(u) - problem.loss(v),
            budget=budget,
            scale=abs(slope) + divergence,
            where={"u": name_u, "v": name_v, "theta_u": u, "theta_v": v},
            part=name_u,
        )


CLAIM = Claim(
    id="R1-exact-identity",
    statement="The loss is linear term plus D_A minus the KL divergence of the posteriors, exactly.",
    latex=r"L(u) = L(v) + \langle \nabla L(v), u - v \rangle + D_A(u, v) - E\,KL(p_v(z|x,y) \| p_u(z|x,y))",
    source="Kunstner, Kumar, Schmidt 2021; exact form derived",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("divergence",),
    sabotages=(
        Sabotage("constant 0.9 on D_A", {"constant": 0.9}, truth=1.0),
        Sabotage("reversed posterior KL", {"reverse": True}),
    ),
    assumptions=(regular_design,),
    proof="R1",
)
