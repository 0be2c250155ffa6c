r"""SymMoLinE at the true parameter, in balls: a Fourier integral by two trapezoidal rules.

With t the coordinate of x along w*, o across it in the plane, a = SNR_e (c t + s o) and b = g t, the missing
information per sample is sech(b/2) e^(-a^2/2) int phi(y) sech(b/2 + a y) [y^2, y/2; y/2, 1/4] dy (x) xx'. By
sech(z) = int (1/2) sech(pi w/2) e^(i w z) dw and int phi(y) e^(i w a y) (1, y, y^2) dy =
e^(-w^2 a^2/2) (1, i w a, 1 - w^2 a^2) its expectation is the integral over w of (1/2) sech(pi w/2) times

    Phi(w) = E_x[ sech(b/2) e^(i w b/2) e^(-a^2 (1 + w^2)/2) {1 - w^2 a^2, i w a / 2, 1/4} (x) xx' ].

**Outer rule, in w.** Let w = xi + i zeta, zeta = 2/3. |e^(i w b/2)| <= e^(zeta |b|/2) and
sech(b/2) <= 2 e^(-|b|/2), product at most 2. |w a|^2 |e^(-a^2 (1 + w^2)/2)| = a^2 (xi^2 + zeta^2)
e^(-a^2 (1 + xi^2 - zeta^2)/2) <= sup v e^(-v/2) = 2/e, because zeta^2 <= 1/2; so the braces and the Gaussian
are at most 1 + 2/e < 7/4. |sech(pi w/2)| <= sech(pi xi/2) / cos(pi/3), whose integral is 4. E|x_i x_j| <= 1.
Hence M <= (1/2) 4 * 2 * (7/4) = 7. On the line Phi <= 1 (for |1 - v| e^(-v/2) <= 1) and
(1/2) sech(pi w/2) <= e^(-pi w/2), which bounds the tail.

**In o** the integral is Gaussian. Given t, with k = 1 + w^2, weight e^(-k a^2/2) makes o = drift t + xi,
xi ~ N(0, v), v = 1 / (1 + A2^2 k), of mass sqrt(v) e^(-D t^2/2); a = slope t + A2 xi.

**Inner rule, in t, for each w.** F = phi(t) e^(-D t^2/2) sech(g t/2) t^k {cos, sin}(w g t/2), k = 0..4. Where
g eta/2 <= pi/4, |sech| <= sqrt 2, the circular functions are at most e^(w g eta/2), the normal density with
N = 1 + D grows by e^(N eta^2/2), and |t + i eta|^k <= 1 + (t^2 + eta^2)^2: so
M <= sqrt(2/N) e^(w g eta/2 + N eta^2/2) (1 + 3/N^2 + 2 eta^2/N + eta^4). Tails: psi = 2 phi(t) t^k
e^(-D t^2/2 - g t/2) falls at least as fast as N t - k/t + g/2.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from emmd.theory.certificates.balls import NotProved, above, ball, below, flint, matrix, root
from emmd.theory.certificates.population.trapezoid import (
    QUARTER,
    diagonal,
    logistic_moments,
    step_of,
    strip_error,
    tail,
    within,
)

_ZETA = 2.0 / 3.0
_MASS = 7
_MARGIN = 14.0
"""Nats by which the inner rule is finer: its error is multiplied by w^2 a^2 afterwards."""


class Law(NamedTuple):
    """The law of (o, a) given t under the Gaussian weight of one w, see above."""

    variance: Any
    drift: Any
    slope: Any
    loading: Any
    decay: Any


class OuterRule:
    """The rule in omega: nodes k h for k >= 0, those on the other side are their mirror images.

    Parameters
    ----------
    nats : float
        Accuracy, e^-nats, of an integral with M = 1.
    growth : float
        log M, or a little more.
    """

    def __init__(self, nats: float, growth: float) -> None:
        self.step = ball(step_of(_ZETA, nats, growth))
        self.last = int((nats + growth) * 2.0 / math.pi / float(self.step)) + 1

    def nodes(self) -> Iterator[tuple]:
        """Yield omega and the weight of both nodes at +- omega, (1/2) sech(pi omega/2) included."""
        for k in range(self.last + 1):
            omega = self.step * k
            yield omega, (flint.arb.pi() * omega / 2).sech() / 2 * (self.step if k == 0 else 2 * self.step)

    def error(self, mass: int, ceiling: int) -> Any:
        """Return the error's ball for M = `mass`; on the line at most `ceiling` stands with (1/2) sech."""
        half_pi = flint.arb.pi() / 2
        left_out = tail(ceiling * (-half_pi * self.step * (self.last + 1)).exp(), half_pi, self.step)
        return within(strip_error(flint.arb(mass), ball(_ZETA), self.step) + 2 * left_out)


def information(snr_expert: float, snr_gate: float, c: Any, s: Any, nats: float) -> tuple:
    """Return I_com and I_mis in the plane, order (beta_t, beta_o, w_t, w_o), and in a direction across it."""
    rule = OuterRule(nats, growth=3.0)
    plane = [[flint.arb(0)] * 4 for _ in range(4)]
    across = [[flint.arb(0)] * 2 for _ in range(2)]
    for omega, weight in rule.nodes():
        law = _law(snr_expert, c, s, omega)
        share = weight * root(law.variance)
        moments = [share * each for each in gate_moments(ball(snr_gate), law.decay, omega, nats + _MARGIN)]
        _add(plane, _plane(law, omega, *moments))
        _add(across, _across(law, omega, *moments))
    error = rule.error(_MASS, 1)
    along, beside = logistic_moments(snr_gate, nats)
    one = flint.arb(1)
    return (
        (diagonal([one, one, along, beside]), matrix([[each + error for each in row] for row in plane])),
        (diagonal([one, beside]), matrix([[each + error for each in row] for row in across])),
    )


def _add(total, part):
    for row, new in zip(total, part):
        for j, each in enumerate(new):
            row[j] += each


def _law(snr_expert, c, s, omega):
    along, across = ball(snr_expert) * c, ball(snr_expert) * s
    strength = 1 + omega * omega
    variance = 1 / (1 + across * across * strength)
    return Law(
        variance,
        drift=-along * across * strength * variance,
        slope=along * variance,
        loading=across,
        decay=along * along * strength * variance,
    )


def gate_moments(g: Any, decay: Any, omega: Any, nats: float) -> list:
    """Return the inner integrals for k = 0..4: cos for even k, sin for odd k; g is a ball of any width."""
    N = 1 + decay
    if not N.is_finite():
        raise NotProved("the law of a given t cannot be enclosed: the range of angles is too wide")
    inverse, slow, speed = above(N), above(g) / 2.0, above(omega * g) / 2.0
    height = min((2.0 * nats / inverse) ** 0.5, QUARTER / slow if slow > 0.0 else math.inf)
    h = ball(step_of(height, nats, inverse * height**2 / 2 + speed * height + 5.0))
    least = below(g) / 2.0
    end = 2.0 * nats / (least + (least**2 + 2.0 * nats * inverse) ** 0.5)
    last = int(1.2 * end / float(h)) + 2
    sums = _sums(g, N, omega, h, last)
    eta = ball(height)
    square = eta * eta
    grown = (omega * g * eta / 2 + N * square / 2).exp() * (2 / N).sqrt()
    strip = strip_error(grown * (1 + 3 / (N * N) + 2 * square / N + square * square), eta, h)
    t = h * (last + 1)
    psi = 2 * (-N * t * t / 2 - g * t / 2).exp() / (2 * flint.arb.pi()).sqrt()
    return [
        each + within(strip + 2 * tail(psi * t**k, N * t - k / t + g / 2, h)) for k, each in enumerate(sums)
    ]


def _gates(g, h, last):
    """Return sech(g k h / 2) for k = 0..last; it falls with g."""
    if not g.is_exact():
        ends = (_gates(ball(end), h, last) for end in (below(g), above(g)))
        return [low.union(high) for low, high in zip(*ends)]
    up, rise = flint.arb(1), (g * h / 2).exp()
    gates = []
    for _ in range(last + 1):
        gates.append(2 * up / (1 + up * up))
        # exponentials at equal steps are products of the ones before
        up = up * rise
    return gates


def _sums(g, N, omega, h, last):
    """Return the sums over the nodes."""
    density = h / (2 * flint.arb.pi()).sqrt()
    bell, turn = flint.arb(1), (-N * h * h / 2).exp()
    square = turn * turn
    phase = omega * g * h / 2
    sums = [flint.arb(0)] * 5
    for k, gate in enumerate(_gates(g, h, last)):
        t = h * k
        weight = density * bell * gate
        weight = weight if k == 0 else 2 * weight
        # a rotation of balls, step by step, would widen them by up to sqrt 2 each time
        sin, cos = (phase * k).sin_cos()
        even, odd = weight * cos, weight * sin * t
        for place, value in enumerate((even, odd, even * t * t, odd * t * t, even * t**4)):
            sums[place] += value
        bell, turn = bell * turn, turn * square
    return sums


def _plane(law, omega, m0, m1, m2, m3, m4):
    """Return the missing information in the plane for one w, from the moments m_k of t."""
    variance, drift, slope, loading, _ = law
    covariance, power = loading * variance, loading * loading * variance  # of (o, a) and of (a, a), given t
    # E[o^2 | t] t^k and E[a^2 | t] t^k, integrated over t
    oo_0, oo_1, oo_2 = (drift * drift * high + variance * low for high, low in ((m2, m0), (m3, m1), (m4, m2)))
    aa_2 = slope * slope * m4 + power * m2
    cross = (
        slope * m3,
        slope * drift * m3 + covariance * m1,
        slope * oo_1 + 2 * drift * covariance * m1,
    )
    # E[a^2 o^2 | t] = E[a^2] E[o^2] + 4 E[a] E[o] Cov(a, o) + 2 Cov(a, o)^2, everything given t
    aaoo = slope * slope * oo_2 + power * oo_0
    aaoo += 4 * slope * drift * covariance * m2 + 2 * covariance * covariance * m0
    strength = omega * omega
    tt, to, oo = (
        m2 - strength * aa_2,
        drift * m2 - strength * (drift * aa_2 + 2 * slope * covariance * m2),
        oo_0 - strength * aaoo,
    )
    a, b, c = (-omega * each / 2 for each in cross)
    return [
        [tt, to, a, b],
        [to, oo, b, c],
        [a, b, m2 / 4, drift * m2 / 4],
        [b, c, drift * m2 / 4, oo_0 / 4],
    ]


def _across(law, omega, m0, m1, m2, m3, m4):
    aa = law.slope * law.slope * m2 + law.loading * law.loading * law.variance * m0
    mixed = -omega * law.slope * m1 / 2
    return [[m0 - omega * omega * aa, mixed], [mixed, m0 / 4]]
