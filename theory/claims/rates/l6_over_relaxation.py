"""L6: over-relaxing any fixed-point map by eta turns its eigenvalues lambda into 1 - eta (1 - lambda).

For EM the best factor is that of mirror descent, 2 / (2 - lambda_max - lambda_min), and unlike there the law
holds on a curved model set too: nothing is projected.
"""

import numpy as np

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.rates.predicted import best_step, predicted_factors


def measure(lab, form="all eigenvalues"):
    """Compare the map's spectral radius with the formula, at the best factor and at a longer one."""
    values = lab.information.eigenvalues
    # past the best factor the fast end of the spectrum rules
    best, largest = float(best_step(values)), 2.0 / (1.0 - values[0])
    for relaxation in (best, 0.5 * (best + largest)):
        predicted = float(np.abs(_factors(lab, relaxation, form)).max())
        seen = lab.contraction("over_relaxation", relaxation=relaxation)
        where = {"relaxation": relaxation}
        yield Comparison(predicted, seen.value, seen.error + 1e-12, max(predicted, 1e-3), where)


def _factors(lab, relaxation, form):
    if form == "slowest mode only":
        return 1.0 - relaxation * (1.0 - lab.information.eigenvalues[-1:])
    if form == "EM":
        return lab.information.eigenvalues
    return predicted_factors(lab.problem, lab.reference.theta, "over_relaxation", relaxation=relaxation)


CLAIM = Claim(
    id="L6-over-relaxation",
    statement="Over-relaxed EM contracts by max |1 - eta (1 - lambda_i)|, best at 2/(2 - l_max - l_min).",
    latex=r"\rho(\eta) = \max_i |1 - \eta (1 - \lambda_i)|, \quad"
    r" \eta^* = 2 / (2 - \lambda_{\max} - \lambda_{\min})",
    source="derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("slowest mode only", {"form": "slowest mode only"}),
        Sabotage("the rate of EM", {"form": "EM"}),
    ),
    assumptions=(regular_design, strict_minimum),
)
