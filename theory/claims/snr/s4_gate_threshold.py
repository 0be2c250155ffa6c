"""S4: linear experts, any gate: an expert SNR past a threshold set by SNR_g guarantees a linear rate."""

import numpy as np
from scipy.integrate import quad

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, linear_only

_D = 3


def measure(lab, gate="k", exponent=-0.5):
    """Compare the rate in three dimensions with the bound over the shared grid."""
    for snr_expert, snr_gate, cosine in lab.grid():
        spectrum = lab.spectrum(snr_expert, snr_gate, cosine)
        price = lab.once(("S4", snr_gate), lambda r=snr_gate: max(1.0, 1 / smallest_gate_moment(r)))
        bound = (1 + snr_expert**2) ** exponent * (price if gate == "k" else 1.0)
        where = at(snr_expert, snr_gate, cosine, d=_D)
        yield Comparison(bound, spectrum.rate(_D), spectrum.error, 1.0, where, trivial=1.0)


def smallest_gate_moment(snr_gate):
    """Return k(r) = min(E sech^2(r g / 2), E g^2 sech^2(r g / 2))."""
    end = min(9.0, 80 / snr_gate)
    return min(quad(_integrand, 0, end, args=(snr_gate, power))[0] for power in (0, 2))


def _integrand(g, snr_gate, power):
    return 2 * np.exp(-g * g / 2) / np.sqrt(2 * np.pi) * g**power / np.cosh(snr_gate * g / 2) ** 2


CLAIM = Claim(
    id="S4-gate-threshold",
    statement="For linear experts lambda_max(M(theta*)) <= max(1, 1/k(SNR_g)) / sqrt(1 + SNR_e^2).",
    latex=r"\lambda_{\max} \le (1 + \mathrm{SNR}_e^2)^{-1/2} \max(1, 1/k(\mathrm{SNR}_g)),\quad"
    r" k(r) = \min(E\,\mathrm{sech}^2(rg/2), E\,g^2 \mathrm{sech}^2(rg/2))",
    source="derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("no price for the gate", {"gate": "none"}),
        Sabotage("exponent -3/4", {"exponent": -0.75}),
    ),
    assumptions=(linear_only,),
    scope="population",
)
