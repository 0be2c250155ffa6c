r"""S6: with logistic experts and a fixed SNR_g, lambda_max has a positive limit as SNR_e grows.

Only x'beta* = tau = O(1) carries information about beta; there x is orthogonal to beta*, so that
b = SNR_g sin(angle) o with o ~ N(0, 1), and the expert's block keeps the ratios of
E_o int tau^k E_y[p (1 - p)] to int tau^k sigm'(tau): k = 2 along beta*, 0 across it, with o^2 in the plane.
The gate's block vanishes.
"""

import numpy as np
from scipy.special import expit

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, labels_only
from emmd.theory.population.spectrum.quadrature import half_line, normal_density

_GATES = (0.3, 1.0, 3.0, 10.0)
_COSINES = (0.0, 0.6, 0.95)
# The spectra approach their limits like 1 / SNR_e; two SNRs remove that term.
_HIGH = 1e8
_D = 3
_RULE_ERROR = 1e-12


def measure(lab, says="limit"):
    """Compare extrapolated rates with the limit."""
    for gate in _GATES:
        for cosine in _COSINES:
            spectra = [lab.spectrum(snr, gate, cosine) for snr in (_HIGH, 2 * _HIGH)]
            first, second = (s.rate(_D) for s in spectra)
            error = 3 * max(s.error for s in spectra) + 100 * abs(second - first) / _HIGH
            predicted = lab.once(
                ("S6", gate, cosine), lambda r=gate, c=cosine: _limit(r * np.sqrt(1 - c * c))
            )
            if says == "one SNR is enough":
                predicted = 0.0
            where = at(_HIGH, gate, cosine, d=_D)
            yield Comparison(predicted, 2 * second - first, error + _RULE_ERROR, 1.0, where)


def _limit(spread):
    """Largest of the three ratios for b = `spread` o, by a product rule over tau and o."""
    o, chance = half_line(0.05, 9.0)
    chance = chance * normal_density(o)
    tau, weights = half_line(0.1, 45.0)
    a, b = tau[:, None], spread * o
    missing = sum(_missing(a, b, y) for y in (1.0, -1.0))
    flat = [(weights * tau**k * expit(tau) * expit(-tau)).sum() for k in (0, 2)]
    per_node = [(weights * tau**k) @ missing / total for k, total in zip((0, 2), flat)]
    return float(
        max((chance * per_node[1]).sum(), (chance * per_node[0]).sum(), (chance * o * o * per_node[0]).sum())
    )


def _missing(a, b, y):
    likelihood = expit(b) * expit(a * y) + expit(-b) * expit(-a * y)
    return likelihood * expit(b + a * y) * expit(-b - a * y)


CLAIM = Claim(
    id="S6-one-snr-is-not-enough",
    statement="For logistic experts at fixed SNR_g, lambda_max tends to a positive integral as SNR_e grows.",
    latex=r"\lim_{\mathrm{SNR}_e \to \infty} \lambda_{\max} > 0: \text{ both SNRs must grow}",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("one SNR is enough", {"says": "one SNR is enough"}),),
    assumptions=(labels_only,),
    resolution=1e-6,
    scope="population",
)
