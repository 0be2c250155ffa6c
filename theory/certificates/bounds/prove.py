"""Branch and bound: a user's bound on the rate over a whole box of SNRs, proved or refuted."""

import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.checks import known_name, number_between, positive_integer, real_array
from emmd.theory.certificates.balls import above, ball, below, flint, precision, require_balls
from emmd.theory.certificates.bounds.expression import BallExpression
from emmd.theory.certificates.bounds.rates import BoxRates
from emmd.theory.certificates.population.spectrum import LARGEST_SNR, certify_population
from emmd.theory.population.progress import reported

BITS = 64
MOST_BOXES = 2000
"""Boxes that are looked at unless more are asked for: a minute or two."""

_KINDS = ("lower", "upper")
_MODELS = ("symmoline", "symmologe")
_D = 3
"""d in an expression where every d of at least 3 is meant."""


@dataclass(frozen=True)
class BoundProof:
    """What came of a bound on a box.

    Attributes
    ----------
    expression, model, kind : str
    proved : bool
        It holds at every point of the box.
    refuted : dict or None
        A point of the box where it fails: snr_expert, snr_gate, cosine, the certified `rate` (lower, upper)
        there and the ends of the `bound`.
    undecided : tuple
        Boxes that are left, each (snr_expert, snr_gate, cosine) as pairs (low, high); empty otherwise.
    boxes : int
        Boxes that were looked at.
    """

    expression: str
    model: str
    kind: str
    proved: bool
    refuted: dict | None
    undecided: tuple
    boxes: int


def prove_bound(
    expression: Any,
    model: str,
    snr_expert: Any,
    snr_gate: Any,
    cosine: Any = 0.0,
    kind: str = "upper",
    d: int | None = None,
    max_boxes: int = MOST_BOXES,
    progress: bool | Callable | None = None,
) -> BoundProof:
    """Prove or refute a bound on lambda_max(M(theta*)) over a whole box of SNRs and cosines.

    Parameters
    ----------
    expression : str or sympy expression or callable
        In snr_e, snr_g, cosine and d, see `emmd.theory.check_bound`; a callable takes four balls.
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    snr_expert, snr_gate : float or (float, float)
        The box: ends above 0 and at most 100, or 0 alone.
    cosine : float or (float, float)
        In [-1, 1].
    kind : str
        ``"upper"`` or ``"lower"``.
    d : int, optional
        Number of features; every d of at least 3 by default, an expression then sees d = 3.
    max_boxes : int
        Boxes after which the rest is returned undecided.
    progress : bool or callable, optional
        True shows a bar on standard error; a callable is called as ``progress(done, total)`` for every box.

    Returns
    -------
    BoundProof

    Raises
    ------
    ValueError, TypeError
        For bad input, an empty or reversed box, or an expression that has no values in balls.

    Notes
    -----
    The enclosures on boxes are derived in `emmd.theory.certificates.bounds.rates`. They are of first order
    in the width: where the slack is small, boxes are many.
    """
    require_balls()
    known_name("model", model, _MODELS)
    known_name("kind", kind, _KINDS)
    box = box_of(snr_expert, snr_gate, cosine)
    if d is not None:
        d = positive_integer("d", d, minimum=2)
    max_boxes = positive_integer("max_boxes", max_boxes)
    with precision(BITS):
        search = _Search(BallExpression(expression), model, kind, d)
        search.run(box, max_boxes, progress)
    return BoundProof(
        search.bound.text,
        model,
        kind,
        not search.heap and search.refuted is None,
        search.refuted,
        () if search.refuted else search.left(),
        search.boxes,
    )


def box_of(snr_expert: Any, snr_gate: Any, cosine: Any) -> tuple:
    """Return the three ranges of a box, or raise a ValueError that names the one that is none."""
    return _side("snr_expert", snr_expert), _side("snr_gate", snr_gate), _range("cosine", cosine, -1.0, 1.0)


def _side(name, value):
    low, high = _range(name, value, 0.0, LARGEST_SNR)
    if low == 0.0 < high:
        raise ValueError(f"{name} must begin above 0, or be 0 alone, got ({low:g}, {high:g})")
    return low, high


def _range(name, value, least, most):
    ends = real_array(name, value, 1, (2,)).tolist() if np.iterable(value) else (value, value)
    low, high = (number_between(name, end, least, most) for end in ends)
    if low > high:
        raise ValueError(f"{name} must be a range from low to high, got ({low:g}, {high:g})")
    return low, high


class BoxSearch:
    """Boxes in the order of their worst slack; a subclass says which are left, and where to split them."""

    def __init__(self) -> None:
        self.boxes = 0
        self.heap: list = []
        self.order = itertools.count()

    def run(self, box: tuple, most: int, progress: bool | Callable | None) -> None:
        """Split boxes until none is left, the search is over, or there were too many."""
        self.examine(box)
        for _ in reported(self._split(most), most, progress, "proving the bound"):
            pass

    def push(self, left: float, box: tuple) -> None:
        """Keep a box to be split, the smallest slack first."""
        heapq.heappush(self.heap, (left, next(self.order), box))

    def left(self) -> tuple:
        """Return the boxes that are left."""
        return tuple(entry[-1] for entry in sorted(self.heap))

    def over(self) -> bool:
        """Return whether there is nothing more to be found out."""
        return not self.heap

    def examine(self, box: tuple) -> None:
        """Count a box, and push it unless it is decided."""
        raise NotImplementedError

    def widths(self, box: tuple) -> list[float]:
        """Return how much each side widens the enclosure on a box; the widest is split."""
        raise NotImplementedError

    def _split(self, most):
        while not self.over() and self.boxes < most:
            _, _, box = heapq.heappop(self.heap)
            widths = self.widths(box)
            k = max(range(3), key=widths.__getitem__)
            low, high = box[k]
            middle = middle_of(low, high, k < 2)
            for side in ((low, middle), (middle, high)):
                self.examine(tuple(side if j == k else each for j, each in enumerate(box)))
                yield


class _Search(BoxSearch):
    def __init__(self, bound, model, kind, d):
        super().__init__()
        self.rates = BoxRates(model, d)
        self.bound, self.model, self.d = bound, model, d
        self.upper, self.refuted = kind == "upper", None

    def over(self):
        return self.refuted is not None or not self.heap

    def examine(self, box):
        self.boxes += 1
        value = self._value(box)
        left = self._slack(value, box)
        if left > 0.0:
            return
        self.push(left, box)
        self._try_to_refute(tuple(middle_of(low, high, k < 2) for k, (low, high) in enumerate(box)))

    def widths(self, box):
        """Return widths in proportion to how fast both informations change."""
        linear = self.rates.linear
        # a linear expert's is in proportion to 1 less the rate
        weights = (1.5 * min(1.0, box[0][1]) if linear else 3.3, 3.3 * min(1.0, box[1][1]))
        widths = [
            weight * math.log(high / low) if high > low else 0.0
            for weight, (low, high) in zip(weights, box[:2])
        ]
        # the gate's argument turns by at most its own size
        turned = (box[2][1] - box[2][0]) * max(1.0, box[1][1], 0.0 if linear else box[0][1])
        return [*widths, turned]

    def _value(self, box):
        return self.bound(*map(side_ball, box), flint.arb(_D if self.d is None else self.d))

    def _slack(self, value, box):
        """Return what is certainly left of the bound on a box; a rate lies in [0, 1]."""
        if self.upper:
            least = below(value) if value.is_finite() else -math.inf
            return math.inf if least >= 1.0 else least - self.rates.upper(box)
        largest = above(value) if value.is_finite() else math.inf
        return math.inf if largest <= 0.0 else self.rates.lower(box) - largest

    def _try_to_refute(self, point):
        if self.refuted is not None:
            return
        value = self._value(tuple((x, x) for x in point))
        if not value.is_finite():
            if value.is_nan():
                raise ValueError(
                    f"expression must have real values, got none of {self.bound.text} at "
                    f"snr_e = {point[0]:.4g}, snr_g = {point[1]:.4g}, cosine = {point[2]:.4g}"
                )
            return
        lower, upper = self.rates.point(*point)
        if (lower > above(value)) if self.upper else (upper < below(value)):
            sharp = certify_population(self.model, point[0], point[1], point[2], self.d).rate
            names = ("snr_expert", "snr_gate", "cosine")
            self.refuted = dict(zip(names, point)) | {"rate": sharp, "bound": (below(value), above(value))}


def middle_of(low: float, high: float, positive: bool) -> float:
    """Return the point at which a side is split: that of equal ratios for an SNR."""
    return math.sqrt(low * high) if positive else 0.5 * (low + high)


def side_ball(side: tuple) -> Any:
    """Return the ball of a range."""
    low, high = side
    return ball(low) if low == high else ball(low).union(ball(high))
