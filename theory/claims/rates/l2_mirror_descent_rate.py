"""L2: mirror descent with step s contracts by max |1 - s (1 - lambda_i)|; EM's step is not the best.

On a curved model set, where every step is projected, the metric moves with the
step: the factors are the eigenvalues of I - s (F + s C)^{-1} hess L, with F the
expected complete information and C = I_com - F. At s = 1 both forms agree.
"""

import numpy as np

from emmd.theory.assumptions import (
    curved_model_set,
    linear_model_set,
    regular_design,
    something_hidden,
    strict_minimum,
)
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage, componentwise
from emmd.theory.numeric.rates.predicted import best_step, predicted_factors


def measure(lab, form="all eigenvalues"):
    """Compare the map's spectral radius with the formula, for a short, the best and a diverging step.

    On a curved model set: all eigenvalues of the map, for a short step.
    """
    if lab.linear_model_set:
        values = lab.information.eigenvalues
        for step_size in (0.5, best_step(values), 2.2 / (1.0 - values.min())):
            predicted = float(np.abs(_factors(lab, "mirror_descent", step_size, form)).max())
            seen = lab.contraction("mirror_descent", step_size=step_size)
            yield Comparison(
                predicted, seen.value, seen.error + 1e-12, max(predicted, 1e-3), {"step_size": step_size}
            )
    else:
        yield from _projected(lab, form)


def _projected(lab, form, step_size=0.5):
    predicted = np.sort(_factors(lab, "projected_mirror_descent", step_size, form))
    seen = lab.contraction("projected_mirror_descent", step_size=step_size)
    # a projection solved to 1e-9 adds 1e-9 / 1e-4 to the differenced map
    budget, ones = np.full(len(predicted), seen.error + 1e-5), np.ones(len(predicted))
    yield from componentwise(predicted, np.sort(seen.eigenvalues.real), budget, ones, step_size=step_size)


def _factors(lab, method, step_size, form):
    values = lab.information.eigenvalues
    if form == "largest eigenvalue only":
        values = values[-1:]
    if form == "observed information":
        values = values / (1.0 - values)
    if form != "all eigenvalues":
        return 1.0 - step_size * (1.0 - values)
    return predicted_factors(lab.problem, lab.reference.theta, method, step_size=step_size)


CLAIM = Claim(
    id="L2-mirror-descent-rate",
    statement="Mirror descent with step s contracts by max |1 - s (1 - lambda_i)|; projected: in F + s C.",
    latex=r"\rho(s) = \max_i |1 - s (1 - \lambda_i)|, \quad J_s = I - s (F + s C)^{-1} \nabla^2 L",
    source="derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage(
            "largest eigenvalue only", {"form": "largest eigenvalue only"}, assumptions=(linear_model_set,)
        ),
        Sabotage("M = I_obs^-1 I_mis", {"form": "observed information"}),
        Sabotage("metric I_com at every step", {"form": "metric I_com"}, assumptions=(curved_model_set,)),
    ),
    assumptions=(regular_design, strict_minimum, something_hidden),
)
