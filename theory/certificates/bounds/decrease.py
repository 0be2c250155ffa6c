"""S7's first half by steps: the rate falls wherever the expert's SNR grows by a factor, on a whole box."""

import itertools
import math
from collections.abc import Callable
from typing import Any

from emmd.core.checks import number_between, positive_integer
from emmd.theory.certificates.balls import precision, require_balls
from emmd.theory.certificates.bounds.prove import BITS, MOST_BOXES, BoundProof, BoxSearch, box_of
from emmd.theory.certificates.bounds.rates import BoxRates

_NATS = 15.0
"""At SNR_e = 0.1 a step of 2 lowers the rate by 6e-3 at least: e^-15 is far below."""

_NARROW = 0.15
"""Logarithm of the ratio of two SNRs between which the enclosure is no longer wide."""


def prove_decrease(
    factor: float,
    snr_expert: Any,
    snr_gate: Any,
    cosine: Any = 0.0,
    max_boxes: int = MOST_BOXES,
    progress: bool | Callable | None = None,
) -> BoundProof:
    """Prove that lambda_max(M(theta*)) of SymMoLinE falls between any two expert SNRs a factor apart.

    Parameters
    ----------
    factor : float
        Above 1: both SNRs lie in the box, and the larger is at least so many times the smaller.
    snr_expert, snr_gate, cosine, max_boxes, progress
        As in `prove_bound`.

    Returns
    -------
    BoundProof
        Never refuted; what is left undecided may be true.

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
    says = f"rate(k snr_e) < rate(snr_e), k >= {factor:g}"
    return BoundProof(says, "symmoline", "decrease", not search.heap, None, search.left(), search.boxes)


class _Decrease(BoxSearch):
    def __init__(self, factor, end):
        super().__init__(BoxRates("symmoline", None, _NATS))
        self.factor, self.end = factor, end

    def examine(self, box):
        """Push a box on which the rate is not seen to fall."""
        self.boxes += 1
        expert, gate, cosine = box
        if self.factor * expert[0] > self.end:
            return
        least = self.rates.lower(box)
        for farther in self._farther(*expert):
            left = least - self.rates.upper((farther, gate, cosine))
            if not left > 0.0:
                self.push(left, box)
                return

    def _farther(self, low, high):
        """Yield ranges that cover what lies farther by the factor up to its square, each about as wide."""
        # the products are rounded: an ulp more on either side covers them
        start = math.nextafter(self.factor * low, 0.0)
        stop = min(math.nextafter(self.factor**2 * high, math.inf), self.end)
        n_intervals = math.ceil(math.log(stop / start) / max(math.log(high / low), _NARROW))
        ends = [start * (stop / start) ** (k / n_intervals) for k in range(n_intervals)]
        yield from itertools.pairwise([start, *ends[1:], stop])
