"""L5: gradient EM with m inner steps, from gradient descent (m = 1) to EM (m to infinity)."""

import numpy as np

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.rates.predicted import predicted_factors

_INNER = (1, 3, 10)


def measure(lab, form="exact"):
    """Compare for several m the map's spectral radius with the formula."""
    step_size = 1.0 / np.linalg.eigvalsh(lab.reduced(lab.information.complete)[0])[-1]
    for m in _INNER:
        predicted = float(_predicted(lab, step_size, m, form))
        seen = lab.contraction("gradient_em", step_size=step_size, inner_steps=m)
        where = {"step_size": step_size, "inner_steps": m}
        yield Comparison(predicted, seen.value, seen.error + 1e-12, max(predicted, 1e-3), where)


def _predicted(lab, step_size, m, form):
    if form == "m-fold step":
        return np.abs(1.0 - m * step_size * np.linalg.eigvalsh(lab.hessian)).max()
    if form == "EM":
        return lab.information.rate
    options = {"step_size": step_size, "inner_steps": m}
    return np.abs(predicted_factors(lab.problem, lab.reference.theta, "gradient_em", **options)).max()


CLAIM = Claim(
    id="L5-gradient-em-rate",
    statement="Gradient EM with m inner steps has the Jacobian I - [I - (I - gamma H_A)^m] H_A^-1 H_L.",
    latex=r"J_m = I - [I - (I - \gamma H_A)^m] H_A^{-1} H_L",
    source="derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("m inner steps taken for one m-fold step", {"form": "m-fold step"}),
        Sabotage("the rate of EM for every m", {"form": "EM"}),
    ),
    assumptions=(regular_design, strict_minimum),
)
