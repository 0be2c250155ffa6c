"""S7: with linear experts the rate decreases in SNR_e. It does not increase in SNR_g everywhere.

The first half is proved at cosine 0 and SNRs between 0.1 and 10, at every point and not only on the grid:
`emmd.theory.certificates.bounds.decrease`.

The second half is natural to expect and false. On a line of growing SNR_g the rate rises, passes a maximum
(at SNR_g = 6 for orthogonal directions, 42 for cosine 0.9) and falls to its limit: by up to 2.5e-3 at cosine
0, 1.7e-3 at 0.5, 3.5e-4 at 0.9 and 2e-5 at 0.99, seen for SNR_e between 0.02 and 50. At cosine 1 it ends at
its maximum, after a dip of 1e-5 near SNR_g = 2 when SNR_e is small.
"""

from itertools import pairwise

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import COSINES, SNR_EXPERT, SNR_GATE, at, linear_only

_D = 3


def measure(lab, along="snr_expert"):
    """Compare each step of the shared grid with 0: down in SNR_e, or up in SNR_g for the sabotage."""
    for cosine in COSINES:
        if along == "snr_expert":
            for gate in SNR_GATE:
                yield from _steps([lab.spectrum(snr, gate, cosine) for snr in SNR_EXPERT])
        else:
            for expert in SNR_EXPERT:
                yield from _steps([lab.spectrum(expert, snr, cosine) for snr in SNR_GATE[::-1]])


def _steps(spectra):
    for before, after in pairwise(spectra):
        where = at(before.snr_expert, before.snr_gate, before.cosine, d=_D)
        where |= {"next": (after.snr_expert, after.snr_gate)}
        drop = before.rate(_D) - after.rate(_D)
        yield Comparison(0.0, drop, before.error + after.error, before.rate(_D), where)


CLAIM = Claim(
    id="S7-monotone-in-expert-snr",
    statement="For linear experts lambda_max(M(theta*)) decreases in SNR_e at fixed SNR_g and angle.",
    latex=r"\partial \lambda_{\max} / \partial\, \mathrm{SNR}_e \le 0",
    source="derived; at cosine 0 proved in balls on [0.1, 10]^2 (docs: certificates), else on a grid",
    kind=Kind.LOWER_BOUND,
    measure=measure,
    sabotages=(Sabotage("it increases in SNR_g", {"along": "snr_gate"}),),
    assumptions=(linear_only,),
    scope="population",
)
