"""E1: the marginal gradient is the mirror map's gradient minus the posterior mean of S (Fisher)."""

from theory.assumptions import regular_design
from theory.claim import Claim, Kind, Sabotage, componentwise
from theory.numeric.complex_step import complex_step_gradient
from theory.numeric.rounding import inner_rounding


def measure(lab, evidence=1.0):
    """Compare both sides at the probes: E-step and mirror map against a complex step of the density."""
    for label, theta in lab.probes:
        responsibilities = lab.responsibilities(theta, evidence)
        yield from componentwise(
            lab.model.surrogate_gradient(lab.problem.data, responsibilities, theta),
            complex_step_gradient(lab.problem, theta),
            lab.gradient_error(theta) + lab.complex_step_error(theta),
            inner_rounding(lab.problem, 1.0),
            label,
            point=label,
            theta=theta,
        )


CLAIM = Claim(
    id="E1-fisher-identity",
    statement="The gradient of the marginal loss is grad A minus the posterior mean of the statistics.",
    latex=r"\nabla L(\theta) = \nabla A(\theta) - E[S(y, Z) \mid x, y; \theta]",
    source="Fisher's identity; Dempster, Laird, Rubin 1977",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("missing factor 2 in the posterior", {"evidence": 0.5}),),
    assumptions=(regular_design,),
    proof="E1",
)
