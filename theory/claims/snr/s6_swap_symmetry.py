"""S6: the rate with logistic experts is symmetric in (SNR_e, SNR_g), and 1 where the parameters coincide."""

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, labels_only
from emmd.theory.population.spectrum.spectrum import population

_SNRS = (0.1, 1.0, 4.0, 30.0)
_COSINES = (0.0, 0.5, 0.95)


def measure(lab, exponents=(1.0, 0.0)):
    """Compare all eigenvalues with those of the swapped problem, and the rate at beta* = w* with 1.

    The swapped problem has SNR_e' = SNR_g^x SNR_e^y for the two `exponents` (x, y), and SNR_g' the same way.
    """
    x, y = exponents
    for expert in _SNRS:
        for gate in _SNRS:
            for cosine in _COSINES:
                seen = lab.spectrum(expert, gate, cosine)
                other = population("symmologe", gate**x * expert**y, expert**x * gate**y, cosine)
                for j, (predicted, value) in enumerate(zip(other.eigenvalues(3), seen.eigenvalues(3))):
                    where = at(expert, gate, cosine, eigenvalue=j)
                    budget = seen.error + other.error
                    yield Comparison(float(predicted), float(value), budget, 1.0, where)
    for snr in _SNRS:
        seen = lab.spectrum(snr, snr, 1.0)
        yield Comparison(1.0, seen.rate(1), seen.error, 1.0, at(snr, snr, 1.0, d=1))


CLAIM = Claim(
    id="S6-swap-symmetry",
    statement="For logistic experts the spectrum is symmetric in the SNRs, and lambda_max = 1 at beta* = w*.",
    latex=r"\lambda(\mathrm{SNR}_e, \mathrm{SNR}_g, c) = \lambda(\mathrm{SNR}_g, \mathrm{SNR}_e, c),\quad"
    r" \lambda_{\max}(r, r, 1) = 1",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(Sabotage("only the product of the SNRs matters", {"exponents": (0.5, 0.5)}),),
    assumptions=(labels_only,),
    scope="population",
)
