"""S7's first half by steps: the rate falls wherever the expert's SNR grows by a factor, on a whole box."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emmd.core.checks import number_between, positive_integer
from emmd.theory.certificates.balls import precision, require_balls
from emmd.theory.certificates.bounds.prove import BITS, MOST_BOXES, BoxSearch, box_of
from emmd.theory.certificates.bounds.rates import BoxRates


@dataclass(frozen=True)
class DecreaseProof:
    """Whether the rate of linear experts was proved to fall.

    Attributes
    ----------
    factor : float
    proved : bool
    undecided : tuple
        Boxes that are left, as those of `BoundProof`.
    boxes : int
        Boxes that were looked at.
    """

    factor: float
    proved: bool
    undecided: tuple
    boxes: int


def prove_decrease(
    factor: float,
    snr_expert: Any,
    snr_gate: Any,
    cosine: Any = 0.0,
    max_boxes: int = MOST_BOXES,
    progress: bool | Callable | None = None,
) -> DecreaseProof:
    """Prove that lambda_max(M(theta*)) of SymMoLinE falls between any two expert SNRs a factor apart.

    Parameters
    ----------
    factor : float
        Above 1: both SNRs lie in the box, and the larger is at least so many times the smaller.
    snr_expert, snr_gate, cosine, max_boxes, progress
        As in `prove_bound`.

    Returns
    -------
    DecreaseProof

    Raises
    ------
    ValueError, TypeError
        For bad input, and without python-flint.

    Notes
    -----
    On every box the least rate is above the largest one between `factor` and its square farther out. Larger
    quotients are products of such, with the SNRs between them in the box. Every d of at least 3.
    """
    require_balls()
    number_between("factor", factor, 1.0, 100.0)
    box = box_of(snr_expert, snr_gate, cosine)
    positive_integer("max_boxes", max_boxes)
    with precision(BITS):
        search = _Decrease(factor, box[0][1])
        search.run(box, max_boxes, progress)
    return DecreaseProof(factor, not search.heap, search.left(), search.boxes)


class _Decrease(BoxSearch):
    def __init__(self, factor, end):
        super().__init__(BoxRates("symmoline", None))
        self.factor, self.end = factor, end

    def look_at(self, box):
        """Push a box on which the rate is not seen to fall."""
        self.boxes += 1
        expert, gate, cosine = box
        after = self.factor * expert[0], min(self.factor**2 * expert[1], self.end)
        if after[0] <= self.end:
            # the products are rounded: an ulp more on either side covers them
            farther = math.nextafter(after[0], 0.0), math.nextafter(after[1], math.inf)
            left = self.rates.lower(box) - self.rates.upper((farther, gate, cosine))
            if not left > 0.0:
                self.push(left, box)
