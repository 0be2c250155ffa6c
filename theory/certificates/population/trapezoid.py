r"""The trapezoidal rule on the line with a proved error, and three integrals that both models share.

**Strip.** If F is analytic for |Im z| < eta, decays, and int |F(x +- i eta)| dx <= M, then

    | h sum_k F(k h) - int F | <= 2 M / (e^(2 pi eta / h) - 1)                                       (T)

(contour integration of F(z) / (1 - e^(-2 pi i z/h)); Trefethen and Weideman, SIAM Review 56, 2014, th. 5.1).

**Bounds in the strip.** For real x and |y| <= pi/4

    |sech(x + iy)| <= sqrt 2 sech x,       for sinh^2 x + cos^2 y >= cosh^2 x cos^2 y,
    |tanh(x + iy)| <= 1,                   for sin^2 y <= cos^2 y,
    |phi(x + iy)| = phi(x) e^(y^2/2).

**Tails.** Where |F(x)| <= psi(x) and (log psi)' <= -r < 0 from the first node left out on, the terms left out
sum to at most h psi / (1 - e^(-r h)) on each side, psi taken at that node.
"""

from typing import Any

from emmd.theory.certificates.balls import NotProved, ball, flint, matrix, shown

QUARTER = 0.785
"""Below pi/4."""


def strip_error(mass: Any, height: Any, step: Any) -> Any:
    """Return the bound (T) for M = `mass` and eta = `height`."""
    return 2 * mass / ((2 * flint.arb.pi() * height / step).exp() - 1)


def tail(first: Any, rate: Any, step: Any) -> Any:
    """Return a bound of the sum of `step` psi over the nodes from psi = `first` on, (log psi)' <= -`rate`."""
    if not rate > 0:
        raise NotProved(f"the tail of an integral cannot be bounded: it falls at the rate {shown(rate)}")
    return step * first / (1 - (-rate * step).exp())


def gaussian(x: Any) -> Any:
    """Return the standard normal density."""
    return (-x * x / 2).exp() / (2 * flint.arb.pi()).sqrt()


def height_of(speed: float, nats: float) -> float:
    """Return eta at which what moves `speed` times as fast stays below pi/4, and e^(eta^2/2) below e^nats."""
    widest = (2.0 * nats) ** 0.5
    return widest if speed * widest <= QUARTER else QUARTER / speed


def within(radius: Any) -> Any:
    """Return the ball around 0 of a radius that is itself a ball."""
    return flint.arb(0, radius.upper())


def diagonal(values: Any) -> Any:
    """Return the diagonal matrix of balls."""
    return matrix([[each if i == j else 0 for j in range(len(values))] for i, each in enumerate(values)])


def step_of(height: float, nats: float, growth: float) -> float:
    """Return h with 2 pi eta / h = nats + growth."""
    return 6.283185307179586 * height / (nats + growth)


def logistic_moments(snr: float, nats: float) -> tuple:
    """Return E[t^2 sech^2(snr t/2)] / 4 and E[sech^2(snr t/2)] / 4 for t ~ N(0, 1), as balls.

    In the strip |sech^2| <= 2 sech^2 <= 2 and |t^2| <= t^2 + eta^2; so M <= (1 + eta^2) e^(eta^2/2) / 2
    serves both. On the line sech^2(u) / 4 <= e^(-2|u|), hence psi = (1 + t^2) phi(t) e^(-snr t), whose
    logarithm falls at least as fast as t - 1 + snr.
    """
    height = height_of(snr / 2.0, nats)
    h = ball(step_of(height, nats, height**2 / 2))
    end = 1.5 + 2.0 * nats / (snr + (snr**2 + 2.0 * nats) ** 0.5)
    last = int(end / float(h)) + 1
    sums = [flint.arb(0), flint.arb(0)]
    for k in range(last + 1):
        t = h * k
        weight = gaussian(t) * (ball(snr) * t / 2).sech() ** 2 / 4 * (h if k == 0 else 2 * h)
        sums[0] += weight * t * t
        sums[1] += weight
    eta = ball(height)
    mass = (1 + eta * eta) * (eta * eta / 2).exp() / 2
    t = h * (last + 1)
    left_out = tail((1 + t * t) * gaussian(t) * (-ball(snr) * t).exp(), t - 1 + ball(snr), h)
    error = within(strip_error(mass, eta, h) + 2 * left_out)
    return sums[0] + error, sums[1] + error
