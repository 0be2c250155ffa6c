"""S2: mixed linear regression (w* = 0): EM's rate is at most 1 / sqrt(1 + SNR^2)."""

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, linear_only

_SNRS = np.geomspace(1e-2, 1e3, 21)
_D = 3


def measure(lab, law="power", exponent=-0.5):
    """Compare the rate in three dimensions with the bound, over five decades of SNR."""
    for snr in _SNRS.tolist():
        spectrum = lab.spectrum(snr, 0.0, 1.0)
        bound = (1 + snr**2) ** exponent if law == "power" else float(np.exp(-(snr**2) / 2))
        yield Comparison(bound, spectrum.rate(_D), spectrum.error, 1.0, at(snr, 0.0, 1.0, d=_D), trivial=1.0)


CLAIM = Claim(
    id="S2-mixed-regression-bound",
    statement="For linear experts with w* = 0, lambda_max(M(theta*)) <= 1 / sqrt(1 + SNR^2).",
    latex=r"w^* = 0: \quad \lambda_{\max}(M(\theta^*)) \le (1 + \mathrm{SNR}^2)^{-1/2}",
    source="derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("exponent -3/4", {"exponent": -0.75}),
        Sabotage("e^(-SNR^2 / 2)", {"law": "exponential"}),
    ),
    assumptions=(linear_only,),
    scope="population",
)
