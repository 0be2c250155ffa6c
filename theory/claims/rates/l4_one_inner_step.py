"""L4: the surrogate's gradient at theta_t is the marginal gradient, so one inner step is gradient descent."""

import numpy as np

from emmd.core.loop.solve import make_algorithm
from emmd.theory.assumptions import regular_design
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import EPS, inner_rounding


def measure(lab, inner_steps=1, evidence=1.0):
    """Compare slopes: gradient EM's step over its step size, against a complex step of the density."""
    for label, theta in lab.probes:
        unit = inner_rounding(lab.problem, 1.0, theta)
        step_size = 0.1 / float(unit.max() ** 2)
        slope = _slope(lab, theta, step_size, inner_steps, evidence)
        yield from componentwise(
            lab.density_gradient(theta),
            slope,
            lab.gradient_error(theta) + lab.complex_step_error(theta) + 2.0 * EPS * np.abs(theta) / step_size,
            unit,
            label,
            point=label,
            theta=theta,
        )


def _slope(lab, theta, step_size, inner_steps, evidence):
    if evidence != 1.0:
        responsibilities = lab.responsibilities(theta, evidence)
        return lab.model.surrogate_gradient(lab.problem.data, responsibilities, theta)
    algorithm = make_algorithm("gradient_em", step_size=step_size, inner_steps=inner_steps)
    return (theta - algorithm.image(lab.problem, theta).theta) / step_size


CLAIM = Claim(
    id="L4-one-inner-step",
    statement="grad Q(. | theta_t) at theta_t is grad L(theta_t): gradient EM with one inner step is GD.",
    latex=r"\nabla Q(\theta|\theta_t)|_{\theta = \theta_t} = \nabla L(\theta_t)",
    source="Fisher's identity; Dempster, Laird, Rubin 1977",
    kind=Kind.IDENTITY,
    measure=measure,
    compares=("e_step",),
    sabotages=(
        Sabotage("two inner gradient steps called GD", {"inner_steps": 2}),
        Sabotage("missing factor 2 in the posterior", {"evidence": 0.5}),
    ),
    assumptions=(regular_design,),
    proof="L4",
)
