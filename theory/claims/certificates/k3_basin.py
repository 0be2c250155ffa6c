"""K3: on the certified ball D_B(theta*, .) <= rho D_A(theta*, .), so EM never leaves the basin."""

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.certificates.proved import beside_proof, certified_start, points_of_basin, region_ratio
from emmd.theory.certificates.tampered import enlarged, foreign, hastened, refused
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage


def measure(lab, basin=1.0, rho=0.0, of="this start"):
    """Search the ball for the largest ratio of the divergences; prove the certificate again."""
    found = lab.certificate if of == "this start" else foreign(lab)
    if basin != 1.0:
        found = enlarged(found, basin)
    if rho != 0.0:
        found = hastened(found, rho)
    for theta in points_of_basin(lab, found.basin_radius / lab.certificate.basin_radius):
        ratio, error = region_ratio(lab, theta)
        yield Comparison(found.basin_rate, ratio, error, 1.0, {"theta": theta}, part="ratio")
    is_refused, reason = refused(lab, found)
    yield Comparison(0.0, is_refused, 0.0, 1.0, {"reason": reason}, part="proof")


CLAIM = Claim(
    id="K3-basin",
    statement="On the certified ball D_B(theta*, .) is at most rho D_A(theta*, .): EM never leaves the basin"
    " inside, and every step shrinks D_A(theta*, .) by rho.",
    latex=r"D_B(\theta^*, \theta) \le \rho\, D_A(\theta^*, \theta) \text{ on } B_r \Rightarrow"
    r" D_A(\theta^*, \theta_{t+1}) \le \rho\, D_A(\theta^*, \theta_t) \text{ on } \{D_A(\theta^*, .) \le c\}",
    source="derived; proved in ball arithmetic",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("a basin enlarged four times", {"basin": 4.0}),
        Sabotage("rho lowered by a tenth of its distance to lambda_max", {"rho": 0.1}),
        Sabotage("a certificate of other data", {"of": "other data"}),
    ),
    assumptions=(regular_design, strict_minimum, certified_start),
    scope="certificate",
    certified=beside_proof(measure),
)
