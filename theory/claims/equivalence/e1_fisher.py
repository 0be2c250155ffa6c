"""E1: the marginal gradient is the mirror map's gradient minus the posterior mean of S (Fisher)."""

from emmd.theory.assumptions import regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import inner_rounding


def measure(lab, evidence=1.0, share=1.0):
    """Compare both sides at the probes: E-step and mirror map against a complex step of the density.

    The density's own loss stands beside the two that the kernels compute, the marginal one and the E-step's.
    """
    for label, theta in lab.probes:
        responsibilities = lab.responsibilities(theta, evidence)
        yield from componentwise(
            lab.model.surrogate_gradient(lab.problem.data, responsibilities, theta),
            share * lab.density_gradient(theta),
            lab.gradient_error(theta) + lab.complex_step_error(theta),
            inner_rounding(lab.problem, 1.0, theta),
            label,
            point=label,
            theta=theta,
        )
        yield from lab.once(
            ("E1 losses", label), lambda label=label, theta=theta: list(_losses(lab, label, theta))
        )


def _losses(lab, label, theta):
    problem, model, definition = lab.problem, lab.model, lab.problem.definition
    eta, _ = lab.natural_gradient(theta)
    from_density = problem.weights @ definition.losses(eta) + problem.penalty(theta)
    budget = lab.loss_error(theta) + lab.natural_loss_error(theta)
    losses = {"marginal loss": problem.loss(theta), "E-step's loss": model.e_step(problem.data, theta).loss}
    for of, loss in losses.items():
        where = {"of": of, "point": label, "theta": theta}
        yield Comparison(float(from_density), loss, budget, 1.0 + abs(loss), where, part=f"{of}, {label}")


CLAIM = Claim(
    id="E1-fisher-identity",
    statement="The gradient of the marginal loss is grad A minus the posterior mean of the statistics.",
    latex=r"\nabla L(\theta) = \nabla A(\theta) - E[S(y, Z) \mid x, y; \theta]",
    source="Fisher's identity; Dempster, Laird, Rubin 1977",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step",),
    sabotages=(
        Sabotage("missing factor 2 in the posterior", {"evidence": 0.5}),
        Sabotage("the gradient a tenth too long", {"share": 1.1}, truth=1.0),
    ),
    assumptions=(regular_design,),
    proof="E1",
)
