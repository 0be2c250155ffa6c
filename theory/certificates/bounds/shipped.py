"""Laws of the SNRs that are proved in balls over whole boxes.

docs/mathematics/certificates.md says how each ended.
"""

from dataclasses import dataclass
from typing import Any

from emmd.theory.certificates.bounds.decrease import prove_decrease
from emmd.theory.certificates.bounds.prove import BoundProof, prove_bound

SIDE = (0.1, 10.0)
"""SNRs of every box unless others are asked for."""


@dataclass(frozen=True)
class ShippedBound:
    """A bound of a law, and the box on which its proof or refutation was run.

    Attributes
    ----------
    model, expression : str
    snr_expert, snr_gate, cosine : float or (float, float)
    proved : bool
        What came of it; otherwise it is refuted by a certified point.
    boxes : int
        Boxes that were looked at, about.
    """

    model: str
    expression: str
    snr_expert: float | tuple
    snr_gate: float | tuple
    cosine: float | tuple
    proved: bool
    boxes: int

    def prove(self) -> BoundProof:
        """Run the proof on its own box."""
        return self.prove_on((self.snr_expert, self.snr_gate, self.cosine), max_boxes=2 * self.boxes)

    def prove_on(self, box: tuple, kind: str = "upper", d: int | None = None, **options: Any) -> BoundProof:
        """Run the proof on another box; the options are those of `prove_bound`."""
        expert, gate, cosine = box
        return prove_bound(self.expression, self.model, expert, gate, cosine, kind, d, **options)


@dataclass(frozen=True)
class ShippedDecrease(ShippedBound):
    """That the rate falls where the expert's SNR grows by a factor, which is the expression."""

    def prove_on(self, box: tuple, kind: str = "upper", d: int | None = None, **options: Any) -> BoundProof:
        """Run the proof on another box, for every d of at least 3; see `prove_decrease`."""
        return prove_decrease(float(self.expression), *box, **options)


_MIXED = "1/sqrt(1+snr_e**2)"
_GATED = "max(1, 1/gate_moment(snr_g))/sqrt(1+snr_e**2)"

SHIPPED = {
    "S2": ShippedBound("symmoline", _MIXED, SIDE, 0.0, 0.0, True, 83),
    "S2-steeper": ShippedBound("symmoline", "(1+snr_e**2)**-0.75", SIDE, 0.0, 0.0, False, 1),
    "S4": ShippedBound("symmoline", _GATED, SIDE, SIDE, 0.0, True, 995),
    "S4-without-gate": ShippedBound("symmoline", _MIXED, SIDE, SIDE, 0.0, False, 5),
    "S7": ShippedDecrease("symmoline", "2", SIDE, (0.1, 1.0), 0.0, True, 900),
}
"""By label; false variants of S2 and S4 beside them."""
