"""K1: one stationary point and no other lies near the computed optimum, and its distance is enclosed."""

import numpy as np

from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.certificates.proved import beside_proof, certified_start
from emmd.theory.certificates.tampered import foreign, refused
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage

_POINTS = 40


def measure(lab, convexity=1.0, of="this start"):
    """Compare the slope towards the optimum with the proved convexity; prove the certificate again."""
    found = lab.certificate if of == "this start" else foreign(lab)
    for theta in _points(lab, found):
        step = theta - lab.reference.theta
        size = step @ lab.information.complete @ step
        slope = (lab.problem.gradient(theta) - lab.problem.gradient(lab.reference.theta)) @ step / size
        error = (lab.gradient_error(theta) + lab.gradient_error(lab.reference.theta)) @ np.abs(step) / size
        where = {"theta": theta, "radius": found.radius}
        yield Comparison(convexity * found.proof["convexity"], slope, float(error), 1.0, where, part="slope")
    is_refused, reason = refused(lab, found)
    yield Comparison(0.0, -is_refused, 0.0, 1.0, {"reason": reason}, part="proof")


def _points(lab, found):
    """Return points within the radius, along the modes of M and at random."""
    vectors = lab.information.vectors.T
    draws = lab.rng("uniqueness").standard_normal((_POINTS, len(vectors)))
    directions = np.concatenate([vectors, -vectors, draws])
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    return lab.reference.theta + 0.999 * found.radius * directions / lengths


CLAIM = Claim(
    id="K1-uniqueness",
    statement="Within the certified radius L is strictly convex by the certified amount: it has one"
    " stationary point there.",
    latex=r"\nabla^2 L \ge m \nabla^2 A(\theta^*) \text{ on } B_r, \quad |\nabla L(\tilde\theta)| < m r",
    source="derived; proved in ball arithmetic",
    kind=Kind.LOWER_BOUND,
    measure=measure,
    sabotages=(
        # at the optimum itself the convexity along the slowest mode is twice what is certified
        Sabotage("three times the convexity", {"convexity": 3.0}),
        Sabotage("a certificate of other data", {"of": "other data"}),
    ),
    assumptions=(regular_design, strict_minimum, certified_start),
    scope="certificate",
    certified=beside_proof(measure),
)
