"""Laws of the SNRs that are proved in balls over whole boxes.

docs/mathematics/certificates.md says how each ended.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

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
    """That the rate falls with the expert's SNR."""

    def prove_on(self, box: tuple, kind: str = "upper", d: int | None = None, **options: Any) -> BoundProof:
        """Run the proof on another box, at cosine 0 and for every d of at least 2; see `prove_decrease`."""
        expert, gate, cosine = box
        if np.any(np.asarray(cosine) != 0.0):
            raise ValueError(f"cosine must be 0 where the proof is that {self.expression}, got {cosine}")
        return prove_decrease(expert, gate, **options)


_MIXED = "1/sqrt(1+snr_e**2)"
_GATED = "max(1, 1/gate_moment(snr_g))/sqrt(1+snr_e**2)"

SHIPPED = {
    "S2": ShippedBound("symmoline", _MIXED, SIDE, 0.0, 0.0, True, 83),
    "S2-steeper": ShippedBound("symmoline", "(1+snr_e**2)**-0.75", SIDE, 0.0, 0.0, False, 1),
    "S4": ShippedBound("symmoline", _GATED, SIDE, SIDE, 0.0, True, 995),
    "S4-without-gate": ShippedBound("symmoline", _MIXED, SIDE, SIDE, 0.0, False, 5),
    "S7": ShippedDecrease("symmoline", "the rate falls with snr_e", SIDE, SIDE, 0.0, True, 4261),
}
"""By label; false variants of S2 and S4 beside them."""
