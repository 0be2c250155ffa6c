"""L2: mirror descent with step eta contracts by max |1 - eta (1 - lambda_i)|; EM's step is not the best."""

import numpy as np

from theory.assumptions import linear_model_set, regular_design, strict_minimum
from theory.claim import Claim, Comparison, Kind, Sabotage
from theory.numeric.rates import best_step


def measure(lab, form="all eigenvalues"):
    """Compare for a short, the best and a diverging step the map's spectral radius with the formula."""
    values = lab.information.eigenvalues
    steps = {"half": 0.5, "best": best_step(values), "diverging": 2.2 / (1.0 - values.min())}
    for name, step_size in steps.items():
        predicted = float(_predicted(values, step_size, form))
        seen = lab.contraction("mirror_descent", step_size=step_size)
        where = {"step": name, "step_size": step_size}
        yield Comparison(predicted, seen.value, seen.error + 1e-12, max(predicted, 1e-3), where)


def _predicted(values, step_size, form):
    if form == "largest eigenvalue only":
        return abs(1.0 - step_size * (1.0 - values.max()))
    if form == "observed information":
        return np.abs(1.0 - step_size * (1.0 - values / (1.0 - values))).max()
    return np.abs(1.0 - step_size * (1.0 - values)).max()


CLAIM = Claim(
    id="L2-mirror-descent-rate",
    statement="Mirror descent with step eta contracts by max |1 - eta (1 - lambda_i)|.",
    latex=r"\rho(\eta) = \max_i |1 - \eta (1 - \lambda_i)|",
    source="derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("largest eigenvalue only", {"form": "largest eigenvalue only"}),
        Sabotage("M = I_obs^-1 I_mis", {"form": "observed information"}),
    ),
    assumptions=(regular_design, linear_model_set, strict_minimum),
)
