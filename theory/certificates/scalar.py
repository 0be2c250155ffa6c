r"""The one function both models are made of, G = log cosh, and bounds of its divergence on intervals.

    G' = tanh,  G'' = f = sech^2,  f' = -2 f tanh,  f'' = f (4 - 6 f).

The divergence seen from u is D_G(u, u + t) = int_0^1 tau f(u + tau t) d tau t^2. An *envelope* bounds

    w(t) = 2 D_G(u, u + t) / t^2 - (2/3) theta f'(u) t,   |t| <= R,

so that D_G(u, u + t) <= w t^2 / 2 + theta f'(u) t^3 / 3, and likewise from below. Between two nodes at a
distance s a function with |w''| bounded by m stays within m s^2 / 8 of the larger, or the smaller, of its
two values there, and w'' = 2 int tau^3 f''(u + tau t) d tau lies between 1/2 inf f'' and 1/2 sup f''. Far
off cells are long and D_G(u, u + t), which grows with |t|, is taken at one of their ends.
"""

from typing import Any

from emmd.theory.certificates.balls import flint

CELLS = 6
"""On each side of 0 up to |t| = 1: their bow is at most 1/288, and falls with the reach squared."""

RATIO = 1.125
"""Of the ends of a cell beyond |t| = 1, where only rows of high leverage reach."""

_SHORT = 2.0**-20
"""Below this length a divergence loses more digits than its series: 40 of 128 bits."""


def slope(u: Any) -> Any:
    """Return G'(u)."""
    return u.tanh()


def curvature(tanh: Any) -> Any:
    """Return f(u) from tanh(u)."""
    return 1 - tanh * tanh


def bend(tanh: Any) -> Any:
    """Return f'(u) from tanh(u)."""
    return -2 * tanh * (1 - tanh * tanh)


def largest_curvature(u: Any, reach: Any) -> Any:
    """Return the supremum of f on [u - reach, u + reach]."""
    nearest = (abs(u) - reach).lower()
    return curvature(nearest.tanh()) if nearest > 0 else flint.arb(1)


def smallest_curvature(u: Any, reach: Any) -> Any:
    """Return the infimum of f on [u - reach, u + reach]."""
    return curvature((abs(u) + reach).upper().tanh())


def log_cosh(u: Any) -> Any:
    """Return G(u); the exponents of balls have no end, so nothing overflows."""
    return u.cosh().log()


def upper_envelope(u: Any, reach: Any, share: Any) -> Any:
    """Return an upper bound of w on [-reach, reach].

    Parameters
    ----------
    u, reach, share : arb
        `share` is theta.
    """
    top = largest_curvature(u, reach)
    # -f'' = f (6 f - 4) grows with f where it is positive
    return _extreme(u, reach, share, 1, (top * (6 * top - 4) / 2).nonnegative_part())


def lower_envelope(u: Any, reach: Any, share: Any) -> Any:
    """Return a lower bound of w on [-reach, reach]; its arguments are those of `upper_envelope`."""
    # f (4 - 6 f) <= 4 f, and is at most 2/3
    rise = (4 * largest_curvature(u, reach)).min(flint.arb(2) / 3) / 2
    return -_extreme(u, reach, share, -1, rise)


def _extreme(u, reach, share, sign, bow):
    """Return a bound of sign * w: the largest value at nodes plus bow s^2 / 8; by cells far off."""
    tanh = u.tanh()
    here, tilt = sign * curvature(tanh), 2 * share * bend(tanh) / 3
    if not reach > _SHORT:
        # w = f + (2/3)(1 - theta) f' t + (1/4) f'' t^2 with -2 <= f'' <= 2
        return here + abs(2 * (1 - share) * bend(tanh) / 3) * reach + reach * reach / 2
    near = reach.min(flint.arb(1))
    step = near / CELLS
    log_here, largest = log_cosh(u), here
    for k in range(1, CELLS + 1):
        for t in (step * k, -step * k):
            largest = largest.max(sign * (_doubled(u, t, log_here) / (t * t) - tilt * t))
    largest = largest + bow * step * step / 8
    for t in (flint.arb(1), flint.arb(-1)):
        largest = _far(u, t, reach, tilt, sign, log_here, largest)
    return largest


def _doubled(u, t, log_here):
    """Return 2 D_G(u, u + t)."""
    sinh, cosh = (u + t).sinh_cosh()
    return 2 * (log_here - cosh.log() + t * sinh / cosh)


def _far(u, t, reach, tilt, sign, log_here, largest):
    """Bound sign * w on the side of t = +-1 from there to the reach: D_G(u, u + t) grows with |t|."""
    while reach > abs(t):
        end = t * RATIO if reach > abs(t * RATIO) else reach * t.sgn()
        inner, outer = (_doubled(u, each, log_here) for each in (t, end))
        quotient = outer / (t * t) if sign > 0 else inner / (end * end)
        largest = largest.max(sign * quotient + (-sign * tilt * t).max(-sign * tilt * end))
        t = end
    return largest
