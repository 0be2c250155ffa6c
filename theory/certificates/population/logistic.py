r"""SymMoLogE at the true parameter, in balls: a double integral by two trapezoidal rules.

With t along the parameter of the larger SNR, o across it in the plane, p = SNR t/2 and q = snr u/2,
u = c t + s o, the missing information per sample is w [1, -m; -m, 1] (x) xx' with

    w = sech(p+q) sech(p-q) / 4 = 1 / (2 (cosh 2p + cosh 2q)),   m = tanh p tanh q.

**Outer rule, in t.** Where |Im p| + |Im q| <= pi/4, that is eta (SNR + snr |c|) / 2 <= pi/4, the bounds of
`trapezoid` give |w|, |w m| <= 2 w <= 1/2, and monomials of degree two or none in (t, o) are at most
1 + eta^2 + t^2 + o^2 in modulus. So M <= (3 + eta^2) e^(eta^2/2) / 2.

**Inner rule, in o, for each t.** Likewise with eta snr s / 2 <= pi/4 and the factor phi(t):
M <= (2 + t^2 + eta^2) e^(eta^2/2) phi(t) / 2.

**Tails.** w <= e^(-2 max(|p|, |q|)) and w <= 1/4. In t: psi = (2 + t^2) phi(t) e^(-SNR t), falling at least
as fast as t - 1 + SNR. In o two bounds serve, beyond the last node on either side, and the smaller is taken:
psi = (1 + t^2 + o^2) phi(o) / 4 where |o| > 1 and falls at least as |o| - 1; and, where q moves away from 0,
(2 + t^2) e^(-2|q|) falling as snr s, for (1 + t^2 + o^2) phi(o) < 2 + t^2.
"""

from typing import Any, NamedTuple

from emmd.theory.certificates.balls import above, ball, flint, matrix
from emmd.theory.certificates.population.trapezoid import (
    diagonal,
    gaussian,
    height_of,
    logistic_moments,
    step_of,
    strip_error,
    tail,
    within,
)


class Line(NamedTuple):
    """What the inner rule knows in advance: its nodes k h for all k.

    Attributes
    ----------
    step : arb
    height : arb
        eta.
    slant : arb
        snr s, by which 2q grows with o.
    density : list of arb
        h phi(k h) for k = 0, 1, ...; also times o and o^2.
    powers : list of arb
        e^(snr s k h).
    """

    step: Any
    height: Any
    slant: Any
    density: list
    powers: list


def information(snr_expert: float, snr_gate: float, c: Any, s: Any, nats: float) -> tuple:
    """Return I_com and I_mis in the plane, and in any one direction across it, as matrices of balls.

    The expert's block comes first, each block in the frame of its own parameter; c and s are the balls of
    cosine and sine; at cosine +-1 the first entries of both blocks are the common line.
    """
    small, large = sorted((snr_expert, snr_gate))
    same, mixed = _moments(small, large, c, s, nats)
    first, last = logistic_moments(small, nats), logistic_moments(large, nats)
    frames = ([(c, s), (-s, c)], [(ball(1), ball(0)), (ball(0), ball(1))])
    missing = [
        [_quadratic(same if i == j else mixed, frames[i][k], frames[j][m]) for j in (0, 1) for m in (0, 1)]
        for i in (0, 1)
        for k in (0, 1)
    ]
    plane = [diagonal([*first, *last]), matrix(missing)]
    across = [diagonal([first[1], last[1]]), matrix([[same[0], mixed[0]], [mixed[0], same[0]]])]
    if snr_expert > snr_gate:
        plane, across = ([_swapped(each) for each in pair] for pair in (plane, across))
    return tuple(plane), tuple(across)


def _swapped(square):
    """Exchange the blocks of the smaller and of the larger SNR."""
    rows, half = square.tolist(), square.nrows() // 2
    return matrix([row[half:] + row[:half] for row in rows[half:] + rows[:half]])


def _quadratic(moments, left, right):
    """Return E[value (left'(t, o)) (right'(t, o))] from E[value (1, tt, to, oo)]."""
    _, tt, to, oo = moments
    return left[0] * right[0] * tt + (left[0] * right[1] + left[1] * right[0]) * to + left[1] * right[1] * oo


def _moments(small, large, c, s, nats):
    """Return E[w (1, tt, to, oo)] and E[-w m (1, tt, to, oo)]."""
    line = _line(small, s, nats)
    height = height_of((large + small * above(abs(c))) / 2.0, nats)
    h, eta, alpha = ball(step_of(height, nats, height**2 / 2)), ball(height), ball(large)
    end = 1.5 + 2.0 * nats / (large + (large**2 + 2.0 * nats) ** 0.5)
    last = int(end / float(h)) + 1
    totals, spread = [[flint.arb(0)] * 4 for _ in range(2)], flint.arb(0)
    for k in range(last + 1):
        t = h * k
        weight = gaussian(t) * (h if k == 0 else 2 * h)
        sums, error = _inner(line, t, alpha * t, ball(small) * c * t, nats)
        spread += weight * error
        for total, (zero, one, two) in zip(totals, sums):
            for place, value in enumerate((zero, t * t * zero, t * one, two)):
                total[place] += weight * value
    mass = (3 + eta * eta) * (eta * eta / 2).exp() / 2
    t = h * (last + 1)
    left_out = tail((2 + t * t) * gaussian(t) * (-alpha * t).exp(), t - 1 + alpha, h)
    error = within(strip_error(mass, eta, h) + 2 * left_out + spread)
    return [[each + error for each in total] for total in totals]


def _line(small, s, nats):
    slant = above(s) * small
    height = height_of(slant / 2.0, nats)
    h = ball(step_of(height, nats, height**2 / 2))
    last = int((2.0 * nats) ** 0.5 / float(h)) + 2
    density = [h * gaussian(h * k) for k in range(last + 1)]
    turns = [(density[k], density[k] * (h * k), density[k] * (h * k) * (h * k)) for k in range(last + 1)]
    return Line(h, ball(height), ball(small) * s, turns, _powers((ball(small) * s * h).exp(), last))


def _powers(base, last):
    """Return base^k for k = -last..last, at index k + last."""
    up, down = [flint.arb(1)], [flint.arb(1)]
    inverse = 1 / base
    for _ in range(last):
        up.append(up[-1] * base)
        down.append(down[-1] * inverse)
    return down[:0:-1] + up


def _inner(line, t, p2, centre, nats):
    """Return int (w, -w m) (1, o, o^2) phi(o) do at t, each up to an error that is returned as well."""
    last = len(line.density) - 1
    low, high = _range(line, float(centre), nats, last)
    cosh_p, tanh_p = p2.cosh(), (p2 / 2).tanh()
    shift, back = centre.exp(), (-centre).exp()
    same, mixed = [flint.arb(0)] * 3, [flint.arb(0)] * 3
    for k in range(low, high + 1):
        up, down = shift * line.powers[k + last], back * line.powers[last - k]
        cosh_q, sinh_q = (up + down) / 2, (up - down) / 2
        weight = 1 / (2 * (cosh_p + cosh_q))
        cross = weight * sinh_q / (1 + cosh_q)
        zero, one, two = line.density[abs(k)]
        one = one if k >= 0 else -one
        for place, value in enumerate((zero, one, two)):
            same[place] += weight * value
            mixed[place] -= cross * value
    eta = line.height
    mass = (2 + t * t + eta * eta) * (eta * eta / 2).exp() / 2
    error = strip_error(mass, eta, line.step)
    error += _left_out(line, t, centre, high + 1) + _left_out(line, t, -centre, 1 - low)
    return (same, [tanh_p * each for each in mixed]), error


def _range(line, centre, nats, last):
    """Return the first and the last node: within the normal's reach, and where w is not below e^-nats."""
    slant, h = float(line.slant), float(line.step)
    if slant * h * last <= nats:
        # q alone leaves nothing out unless its centre lies far off; the tails say what that costs
        return -last, last
    low, high = (-nats - centre) / (slant * h), (nats - centre) / (slant * h)
    clip = [int(max(-last, min(last, value))) for value in (low - 1, high + 1)]
    return clip[0], clip[1]


def _left_out(line, t, centre, first):
    """Bound the inner terms from a node on; `centre` and `first` are those of the side's own direction."""
    o = line.step * first
    bounds = []
    if o > 1:
        bounds.append(tail((1 + t * t + o * o) * gaussian(o) / 4, o - 1, line.step))
    twice_q = centre + line.slant * o
    if twice_q > 0 and line.slant > 0:
        bounds.append(tail((2 + t * t) * (-twice_q).exp(), line.slant, line.step))
    return bounds[0].min(bounds[-1])
