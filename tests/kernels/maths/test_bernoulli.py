"""The KL divergence of two Bernoulli laws, given by logits, against 50 digits."""

import mpmath
import numpy as np
import pytest

from emmd.kernels.maths.bernoulli import bernoulli_divergence, divergence_rows
from tests.kernels.exact import DIGITS, divergence

pytestmark = pytest.mark.kernels

SMALL, LARGE = 0.05, 0.7
"""Where the formula changes: |u - v| at most SMALL, at most LARGE, or beyond."""

RTOL = 1e-13
"""The worst amplification is that of log1p(m e) - m s, m <= 1/2, at s = SMALL: the two terms are m s, the
difference at least m (1 - m) s^2 / 2, so at most 4 / s = 80 times smaller. The products, expm1 and log1p
err by 2 units of rounding at most each, half of a unit being 1.1e-16: 80 * 5 * 1.1e-16 < 5e-14. Beyond LARGE
the terms are at most 36 times the difference and err by 3 units. Up to SMALL the series leaves out the ninth
cumulant, at most 10.3 times the second: 2 * 10.3 * s^7 / 9! < 4.5e-14 of the sum."""

SMALLEST = 2.0**-1074


def _tolerance(u, v, exact):
    """Relative 1e-13, and a few of the smallest numbers where terms lose digits below 2^-1022."""
    return RTOL * exact + (4.0 + abs(u - v)) * SMALLEST


def _check(points):
    with mpmath.workdps(DIGITS):
        for u, v in points:
            exact, value = divergence(u, v), bernoulli_divergence(u, v)
            assert value >= 0.0
            assert abs(mpmath.mpf(value) - exact) <= _tolerance(u, v, exact), (u, v, value, float(exact))


def _points(v, steps):
    return [(float(a + s), float(a)) for a in v for s in (*steps, *-steps)]


# 0.53 is where the ninth cumulant is largest
LOGITS = np.array([0.0, 1e-300, 1e-9, 0.3, 0.53, 1.0, 3.0, 10.0, 36.0, 37.5, 100.0, 600.0, 700.0, 740.0])
LOGITS = np.concatenate([LOGITS, -LOGITS[1:]])


@pytest.mark.parametrize("at", [SMALL, LARGE])
def test_on_both_sides_of_a_branch_point(at):
    beside = at * (1.0 + np.array([-1e-2, -1e-6, -4e-16, -2e-16, 0.0, 2e-16, 4e-16, 1e-6, 1e-2]))
    _check(_points(LOGITS, beside))
    # the step as the kernel sees it: exact, from a reference of 0
    _check([(float(sign * step), 0.0) for step in beside for sign in (1, -1)])


def test_tiny_steps():
    _check(_points(LOGITS, np.array([1e-12, 3e-9, 1e-6, 1e-4, 1e-3])))


def test_middle_and_large_steps():
    _check(_points(LOGITS, np.array([0.02, 0.1, 0.3, 0.5, 1.0, 2.0, 8.0, 40.0, 300.0, 1e4])))


def test_tails():
    tails = [-745.0, -709.0, -700.0, 0.0, 700.0, 709.0, 745.0, 1e4, -1e4, 1e300]
    _check([(u, v) for u in tails for v in tails if u != v])


@pytest.mark.parametrize(("low", "high"), [(1e-6, 20.0), (0.02, 1.0)])
def test_random_pairs(low, high):
    rng = np.random.default_rng(11)
    v = rng.choice([0.3, 1.0, 10.0, 200.0], 1500) * rng.standard_normal(1500)
    steps = np.exp(rng.uniform(np.log(low), np.log(high), 1500)) * rng.choice([-1.0, 1.0], 1500)
    _check(zip((v + steps).tolist(), v.tolist()))


def test_equal_logits():
    for v in LOGITS:
        assert bernoulli_divergence(float(v), float(v)) == 0.0


def test_orientation():
    """The mean is over the law of the second argument: a rare event is dear as a model, not as the truth."""
    assert bernoulli_divergence(-20.0, 0.0) == pytest.approx(10.0 - np.log(2.0), rel=1e-8)
    assert bernoulli_divergence(0.0, -20.0) == pytest.approx(np.log(2.0), rel=1e-6)


@pytest.mark.parametrize("n", [1, 255, 256, 257, 600])
def test_rows(n):
    rng = np.random.default_rng(n)
    u, v, c = rng.normal(scale=3.0, size=(3, n))
    partials = np.zeros((1, 1))
    divergence_rows(0, 1, partials, u, v, c**2)
    each = np.array([bernoulli_divergence(*pair) for pair in zip(u.tolist(), v.tolist())])
    # all terms are positive: a sum of n errs by n units at most
    assert partials[0, 0] == pytest.approx(c**2 @ each, rel=n * 2.3e-16 + 1e-15)
