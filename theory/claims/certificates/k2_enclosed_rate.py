"""K2: the enclosure of lambda_max(M(theta*)) holds the spectral radius of EM's own map."""

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.certificates.proved import beside_proof, certified_start
from emmd.theory.certificates.tampered import foreign, refused
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, of="this start", power=1):
    """Compare the enclosure with the map's contraction, from map evaluations only."""
    found = lab.certificate if of == "this start" else foreign(lab)
    lower, upper = (end**power for end in found.rate)
    seen = lab.contraction("em")
    budget = seen.error + 1e-12 + 0.5 * (upper - lower)
    where = {"lower": lower, "upper": upper}
    yield Comparison(0.5 * (lower + upper), seen.value, budget, max(upper, 1e-3), where, part="rate")
    is_refused, reason = refused(lab, found)
    yield Comparison(0.0, is_refused, 0.0, 1.0, {"reason": reason}, part="proof")


CLAIM = Claim(
    id="K2-enclosed-rate",
    statement="The certified enclosure of lambda_max(M(theta*)) holds the contraction of EM's map.",
    latex=r"\underline\lambda \le \lambda_{\max}(M(\theta^*)) \le \overline\lambda",
    source="derived; proved in ball arithmetic",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("a certificate of other data", {"of": "other data"}),
        Sabotage("the square of the rate", {"power": 2}),
    ),
    assumptions=(regular_design, strict_minimum, certified_start),
    resolution=0.05,
    scope="certificate",
    certified=beside_proof(measure),
)
