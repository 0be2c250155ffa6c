"""K4: EM from the start is in the basin after the certified number of steps, and converges from there."""

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.certificates.proved import beside_proof, certified_start
from emmd.theory.certificates.tampered import foreign, refused, shortened
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage

_BEYOND = 20


def measure(lab, of="this start", early=False):
    """Follow EM with the kernels; from step T on D_A(theta*, .) stays below rho^(t - T) c."""
    found = lab.certificate if of == "this start" else foreign(lab)
    found = shortened(found) if early else found
    path = lab.path(lab.theta0, steps=found.steps + _BEYOND, stop=0.0)
    target, level = lab.reference.theta, found.basin_level
    for t, theta in enumerate(path.theta[found.steps :]):
        bound, distance = level * found.basin_rate**t, lab.problem.divergence(target, theta)
        error = 1e-11 * distance + 3.0 * lab.optimum_error * distance**0.5 + lab.optimum_error**2
        yield Comparison(bound, distance, error, bound, {"t": found.steps + t, "theta": theta}, part="path")
    is_refused, reason = refused(lab, found)
    yield Comparison(0.0, is_refused, 0.0, 1.0, {"reason": reason}, part="proof")


CLAIM = Claim(
    id="K4-path",
    statement="From the start EM is in the basin after T steps, and D_A(theta*, theta_t) <= rho^(t - T) c.",
    latex=r"D_A(\theta^*, \theta_t) \le \rho^{t - T} c, \quad t \ge T",
    source="derived; proved in ball arithmetic",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("a step earlier", {"early": True}, (lambda lab: "" if lab.certificate.steps else "T is 0",)),
        Sabotage("a certificate of other data", {"of": "other data"}),
    ),
    assumptions=(regular_design, strict_minimum, certified_start),
    scope="certificate",
    certified=beside_proof(measure),
)
