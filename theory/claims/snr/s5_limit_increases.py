"""S5: the limit of the rate at high SNRs with a parallel gate increases with rho = SNR_g / SNR_e."""

from itertools import pairwise

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only

_RATIOS = np.geomspace(0.05, 50.0, 13)
_HIGH = 1e10


def measure(lab, sign=1.0):
    """Compare the step from one rho to the next with 0, in one dimension and in three."""
    for d in (1, 3):
        spectra = [lab.spectrum(_HIGH, float(rho) * _HIGH, 1.0) for rho in _RATIOS]
        for low, high in pairwise(spectra):
            where = {"d": d, "ratios": (low.snr_gate / _HIGH, high.snr_gate / _HIGH), "snr_expert": _HIGH}
            # a rate at this SNR is within about 1/SNR of its limit
            budget = low.error + high.error + 4.0 / _HIGH
            yield Comparison(0.0, sign * (high.rate(d) - low.rate(d)), budget, high.rate(d), where)


CLAIM = Claim(
    id="S5-limit-increases",
    statement="The limit of lambda_max for SNR_g = rho SNR_e -> infinity, w* || beta*, increases with rho.",
    latex=r"\rho \mapsto \lim_{\mathrm{SNR}_e \to \infty}"
    r" \lambda_{\max}(\mathrm{SNR}_e, \rho\,\mathrm{SNR}_e, 1) \text{ increases}",
    source="derived",
    kind=Kind.LOWER_BOUND,
    measure=measure,
    sabotages=(Sabotage("it decreases", {"sign": -1.0}),),
    assumptions=(linear_only,),
    scope="population",
)
