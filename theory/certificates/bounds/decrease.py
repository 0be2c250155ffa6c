r"""S7's first half: the rate falls with the expert's SNR at every point of a box, where w* is across beta*.

Write D for the derivative in log SNR_e, mu for 1 - lambda_max, I_obs = I_com - I_mis. The rate falls where
v' (D I_obs) v > 0 for every v with I_obs v = mu I_com v. So it suffices that for some tau > 0 and mu' >= mu

    tau (I_obs - mu' I_com) + D I_obs > 0.                                                              (*)

**The matrices.** At cosine 0, a = SNR_e o and b = SNR_g t are independent, and parameters fall into pairs:
(beta_o, w_t), (beta_t, w_o), and one more for every direction across the plane. In the Fourier integral of
`emmd.theory.certificates.population.linear`, with k = 1 + omega^2, v = 1 / (1 + SNR_e^2 k), P_n = v^(n/2),
q = omega^2 / k and m_j = E[t^j sech(b/2) {cos, sin}(omega b/2)] (sin for j = 1), the entries of I_mis are the
integrals over omega of (1/2) sech(pi omega/2) times

    pair            expert                        gate          cross
    beta_o, w_t     m_0 ((1 - 3q) P_3 + 3q P_5)   m_2 P_1 / 4   -m_1 omega SNR_e P_3 / 2
    beta_t, w_o     m_2 ((1 - q) P_1 + q P_3)     m_0 P_3 / 4   -m_1 omega SNR_e P_3 / 2
    across          m_0 ((1 - q) P_1 + q P_3)     m_0 P_1 / 4   0

and those of I_com's gate are the same with P_n = 1, for the integral of cos(omega b/2) is sech(b/2).

**Derivatives.** D P_n = -n (1 - v) P_n and D v = -2 v (1 - v). In log SNR_g, m_j has the derivative
m_(j+2) - (j + 1) m_j (by parts, against t^(j+1) phi). So no new integral is needed, and each entry is
enclosed on a box by its value in the middle and both derivatives on the box: an error of second order.

**Outer rule.** For |Im omega| < 2/3, |omega|^2 <= Re k, so |v|, |1 - v|, |q| and |omega SNR_e v^(1/2)| are at
most 1. What stands with m_j, and its first two derivatives, is at most 165: those of P_n are at most 1, n and
n^2 + 2n, and 4 * 15 + 3 * 35 = 165. |m_j| <= 2 E|t|^j <= 6, so its derivative in log SNR_g is at most 12, and
M = (1/2) 4 * 165 * 12 = 3960 serves every entry; on the line both factors are at most 165 * 6 = 990.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from emmd.core.checks import positive_integer
from emmd.theory.certificates.balls import ball, flint, matrix, precision, require_balls
from emmd.theory.certificates.bounds.prove import (
    BITS,
    MOST_BOXES,
    BoundProof,
    BoxSearch,
    box_of,
    middle_of,
    side_ball,
)
from emmd.theory.certificates.population.linear import OuterRule, gate_moments
from emmd.theory.certificates.population.trapezoid import within

_NATS = 25.0
"""At SNRs of 0.1 the rate is 1 - 9e-3, and entries are as small as 1e-3: e^-25 is far below."""

_MASS, _CEILING = 4000, 1000
_TAUS = tuple(2.0**k for k in range(-2, 7))

_GATE_1, _GATE_3, _EXPERT_O, _EXPERT, _CROSS = range(5)
_OF_ORDER = 5
"""Rows: those five for the value, the first and the second derivative in log SNR_e, then I_com's gate."""
_COMPLETE = 3 * _OF_ORDER
_SLOPES = 3
"""Columns: m_0, m_1, m_2, then their derivatives in log SNR_g."""


class _Pair(NamedTuple):
    """Rows and moments of the two parameters that one block couples."""

    expert: int
    expert_moment: int
    gate: int
    gate_moment: int
    coupled: bool


_PAIRS = (
    _Pair(_EXPERT_O, 0, _GATE_1, 2, True),
    _Pair(_EXPERT, 2, _GATE_3, 0, True),
    _Pair(_EXPERT, 0, _GATE_1, 0, False),
)
"""The first is the pair of the largest rate wherever this was looked at; the proof does not use that."""


def prove_decrease(
    snr_expert: Any,
    snr_gate: Any,
    max_boxes: int = MOST_BOXES,
    progress: bool | Callable | None = None,
) -> BoundProof:
    """Prove that lambda_max(M(theta*)) of SymMoLinE at cosine 0 falls with SNR_e everywhere on a box.

    Parameters
    ----------
    snr_expert, snr_gate, max_boxes, progress
        As in `prove_bound`; SNR_e above 0.

    Returns
    -------
    BoundProof
        Never refuted; what is left undecided may be true. For every d of at least 2.

    Raises
    ------
    ValueError, TypeError
        For bad input, and without python-flint.
    """
    require_balls()
    box = box_of(snr_expert, snr_gate, 0.0)
    if box[0][0] == 0.0:
        raise ValueError("snr_expert must be above 0, for at 0 the rate is 1 and begins to fall, got 0")
    max_boxes = positive_integer("max_boxes", max_boxes)
    with precision(BITS):
        search = _Decrease()
        search.run(box, max_boxes, progress)
    left = search.left()
    return BoundProof(
        "the rate falls with snr_e", "symmoline", "decrease", not left, None, left, search.boxes
    )


class _Decrease(BoxSearch):
    def __init__(self):
        super().__init__()
        self.rule = OuterRule(_NATS, growth=math.log(_MASS))
        self.error = self.rule.error(_MASS, _CEILING)
        # neighbours share sides
        self.rows, self.columns = cache(self._rows), cache(self._columns)

    def examine(self, box):
        """Push a box on which the rate is not seen to fall, the widest first."""
        self.boxes += 1
        if not self.falls(box):
            self.push(-sum(self.widths(box)), box)

    def widths(self, box):
        """Return the logarithmic widths."""
        return [math.log(high / low) if high > low else 0.0 for low, high in box[:2]] + [0.0]

    def falls(self, box):
        """Return whether (*) holds for every pair on a box."""
        forms = _Forms(self, box)
        observed, slopes = ([forms.pair(pair, order) for pair in _PAIRS] for order in (0, 1))
        complete = [forms.complete(pair) for pair in _PAIRS]
        mu = forms.largest_mu(observed[0], complete[0])
        return all(
            _positive_somewhere(forms, (one - mu, cross, gate - full * mu), slope)
            for (one, cross, gate), full, slope in zip(observed, complete, slopes)
        )

    def _rows(self, side):
        """Return what stands with the moments, one column per omega."""
        snr = side_ball(side)
        columns = [_row_values(snr, omega) for omega, _ in self.rule.nodes()]
        return matrix(columns).transpose()

    def _columns(self, side):
        """Return the moments and their derivatives in log SNR_g, times the rule's weights."""
        snr, rows = side_ball(side), []
        for omega, weight in self.rule.nodes():
            moments = gate_moments(snr, flint.arb(0), omega, _NATS + math.log(_CEILING))
            slopes = [moments[j + 2] - (j + 1) * moments[j] for j in range(_SLOPES)]
            rows.append([weight * each for each in moments[:_SLOPES] + slopes])
        return matrix(rows)


def _row_values(snr, omega):
    square = omega * omega
    v = 1 / (1 + snr * snr * (1 + square))
    c, q = 1 - v, square / (1 + square)
    power = {1: v.sqrt()}
    power[3] = power[1] * v
    power[5] = power[3] * v
    first = {n: -n * c * each for n, each in power.items()}
    second = {n: (n * c - 2 * v) * n * c * each for n, each in power.items()}
    cross = omega * snr * power[3] / 2
    crosses = cross, cross * (1 - 3 * c), cross * ((1 - 3 * c) ** 2 - 6 * v * c)
    values = []
    for whole, P, last in zip((1, 0, 0), (power, first, second), crosses):
        values += [(whole - P[1]) / 4, (whole - P[3]) / 4]
        values += [-((1 - 3 * q) * P[3] + 3 * q * P[5]), -((1 - q) * P[1] + q * P[3]), last]
    return [*values, flint.arb(0.25)]


class _Form(NamedTuple):
    """A number on a box: its value in the middle, its derivatives in log SNR_e and log SNR_g on the box."""

    middle: Any
    by_expert: Any
    by_gate: Any

    def __add__(self, other):
        other = other if isinstance(other, _Form) else _Form(other, 0, 0)
        return _Form(*(mine + theirs for mine, theirs in zip(tuple(self), tuple(other))))

    def __mul__(self, factor):
        return _Form(*(each * factor for each in tuple(self)))

    def __sub__(self, other):
        return self + other * -1


class _Forms:
    """The entries of one box."""

    def __init__(self, search, box):
        experts, gates = box[:2]
        centre = [middle_of(low, high, True) for low, high in (experts, gates)]
        self.middle = search.rows((centre[0],) * 2) * search.columns((centre[1],) * 2)
        self.wide = search.rows(experts) * search.columns(gates)
        self.error = search.error
        self.reach = [_reach(side, at) for side, at in zip((experts, gates), centre)]

    def entry(self, order, row, moment):
        """Return the form of one sum over omega, of I_obs or of its derivative in log SNR_e."""
        place = order * _OF_ORDER + row
        return _Form(
            self.middle[place, moment] + self.error,
            self.wide[place + _OF_ORDER, moment] + self.error,
            self.wide[place, _SLOPES + moment] + self.error,
        )

    def pair(self, pair, order):
        """Return the expert's, the cross and the gate's entry of I_obs, or of its derivative."""
        expert = self.entry(order, pair.expert, pair.expert_moment) + (1 if order == 0 else 0)
        cross = self.entry(order, _CROSS, 1) * (1 if pair.coupled else 0)
        return expert, cross, self.entry(order, pair.gate, pair.gate_moment)

    def complete(self, pair):
        """Return the gate's entry of I_com; the expert's is 1."""
        column = pair.gate_moment
        middle, slope = self.middle[_COMPLETE, column], self.wide[_COMPLETE, _SLOPES + column]
        return _Form(middle + self.error, 0, slope + self.error)

    def range(self, form):
        """Return the ball of a form on the whole box."""
        return form.middle + within(abs(form.by_expert) * self.reach[0] + abs(form.by_gate) * self.reach[1])

    def largest_mu(self, observed, complete):
        """Return a bound of mu on the box: the Rayleigh quotient of the eigenvector in the middle."""
        x, y = (ball(each) for each in _eigenvector(observed, complete))
        expert, cross, gate = observed
        above = expert * (x * x) + cross * (2 * x * y) + gate * (y * y)
        beneath = complete * (y * y) + x * x
        guess = ball(float((above.middle / beneath.middle).mid()))
        return (guess + (self.range(above - beneath * guess) / self.range(beneath)).max(flint.arb(0))).upper()


def _reach(side, at):
    """Return the largest distance of a side from a point of it, in logarithms."""
    low, high = (ball(end) for end in side)
    return flint.arb(0) if side[0] == side[1] else (high / ball(at)).log().max((ball(at) / low).log())


def _eigenvector(observed, complete):
    """Return a guess of the direction in which least is observed."""
    expert, cross, gate = (float(each.middle.mid()) for each in observed)
    scale = 1.0 / math.sqrt(float(complete.middle.mid()))
    vector = np.linalg.eigh([[expert, cross * scale], [cross * scale, gate * scale**2]])[1][:, 0]
    return vector * (1.0, scale)


def _positive_somewhere(forms, excess, slope):
    """Return whether tau `excess` + `slope` is positive definite on the box for one of the taus."""
    for tau in _TAUS:
        expert, cross, gate = (forms.range(one * tau + other) for one, other in zip(excess, slope))
        if expert > 0 and gate > 0 and expert * gate > cross * cross:
            return True
    return False
