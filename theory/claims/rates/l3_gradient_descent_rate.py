"""L3: gradient descent with step gamma contracts by max |1 - gamma mu_i|, mu_i of the observed Hessian."""

import numpy as np

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, spectrum_of="hess L"):
    """Compare for two steps the map's spectral radius with the Hessian's spectrum."""
    longest = 1.0 / np.linalg.eigvalsh(lab.hessian)[-1]
    values = _spectrum(lab, spectrum_of)
    for factor in (1.0, 2.1):
        step_size = factor * longest
        predicted = float(np.abs(1.0 - step_size * values).max())
        seen = lab.contraction("gradient_descent", step_size=step_size)
        where = {"step_size": step_size, "times 1/mu_max": factor}
        yield Comparison(predicted, seen.value, seen.error + 1e-12, max(predicted, 1e-3), where)


def _spectrum(lab, spectrum_of):
    if spectrum_of == "I_com":
        return np.linalg.eigvalsh(lab.reduced(lab.information.complete)[0])
    if spectrum_of == "I - M":
        return 1.0 - lab.information.eigenvalues
    return np.linalg.eigvalsh(lab.hessian)


CLAIM = Claim(
    id="L3-gradient-descent-rate",
    statement="Gradient descent with step gamma contracts by max |1 - gamma mu_i(hess L)|.",
    latex=r"\rho(\gamma) = \max_i |1 - \gamma \mu_i(\nabla^2 L)|",
    source="classic",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("complete information for hess L", {"spectrum_of": "I_com"}),
        Sabotage("relative eigenvalues 1 - lambda for mu", {"spectrum_of": "I - M"}),
    ),
    assumptions=(regular_design, strict_minimum),
)
