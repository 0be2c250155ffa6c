"""Laws of the SNRs that are proved in balls over whole boxes; docs/certificates.md says how each ended."""

from dataclasses import dataclass

from emmd.theory.certificates.bounds.prove import BoundProof, prove_bound

SIDE = (0.1, 10.0)
"""SNRs of every box unless others are asked for."""


@dataclass(frozen=True)
class ShippedBound:
    """A bound of a law, and the box on which its proof or refutation was run.

    Attributes
    ----------
    expression, model : str
    snr_expert, snr_gate, cosine : float or (float, float)
    proved : bool
        What came of it; otherwise it is refuted by a certified point.
    boxes : int
        Boxes that were looked at.
    """

    expression: str
    model: str
    snr_expert: float | tuple
    snr_gate: float | tuple
    cosine: float | tuple
    proved: bool
    boxes: int

    def prove(self, **options) -> BoundProof:
        """Run the proof; the options are those of `prove_bound`."""
        sides = self.snr_expert, self.snr_gate, self.cosine
        return prove_bound(self.expression, self.model, *sides, max_boxes=2 * self.boxes, **options)


_MIXED = "1/sqrt(1+snr_e**2)"
_GATED = "max(1, 1/gate_moment(snr_g))/sqrt(1+snr_e**2)"

SHIPPED = {
    "S2": ShippedBound(_MIXED, "symmoline", SIDE, 0.0, 0.0, True, 83),
    "S2-steeper": ShippedBound("(1+snr_e**2)**-0.75", "symmoline", SIDE, 0.0, 0.0, False, 1),
    "S4": ShippedBound(_GATED, "symmoline", SIDE, SIDE, 0.0, True, 981),
    "S4-without-gate": ShippedBound(_MIXED, "symmoline", SIDE, SIDE, 0.0, False, 5),
}
"""By label; of every law one false variant beside it."""
