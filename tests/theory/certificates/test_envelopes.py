"""The bounds of one row's divergence, against 80 digits of mpmath on fine grids."""

import mpmath as mp
import numpy as np
import pytest

from emmd.theory.certificates import scalar
from emmd.theory.certificates.balls import above, ball, below, precision
from emmd.theory.certificates.parts.guesses import FloatTerm
from emmd.theory.certificates.plan import _envelope


def exact(u, t, share):
    """Return 2 D_G(u, u + t) / t^2 - (2/3) share f'(u) t."""
    with mp.workdps(80):
        u, t = mp.mpf(u), mp.mpf(t)
        divergence = mp.log(mp.cosh(u)) - mp.log(mp.cosh(u + t)) + t * mp.tanh(u + t)
        bend = -2 * mp.tanh(u) * mp.sech(u) ** 2
        return float(2 * divergence / t**2 - mp.mpf(2) / 3 * share * bend * t)


def draws(count):
    rng = np.random.default_rng(5)
    for _ in range(count):
        u = float(rng.normal() * rng.choice([0.1, 1.0, 4.0]))
        yield u, float(10.0 ** rng.uniform(-8, 2.5)), float(rng.choice([0.0, 0.7, 1.0]))


@pytest.mark.parametrize(("u", "reach", "share"), list(draws(12)))
def test_envelopes_hold_everywhere_and_are_not_wide(u, reach, share):
    with precision():
        arguments = ball(u), ball(reach), ball(share)
        upper, lower = above(scalar.upper_envelope(*arguments)), below(scalar.lower_envelope(*arguments))
    near = np.linspace(-min(reach, 2.0), min(reach, 2.0), 201)
    grid = np.concatenate([np.linspace(-reach, reach, 201), near])
    seen = [exact(u, t, share) for t in grid[grid != 0.0]]
    assert lower <= min(seen) + 1e-12
    assert max(seen) <= upper + 1e-12
    # the bow is at most 1/288, a far cell a quarter of what is left of D_G there
    assert upper - max(seen) < 0.01 + 0.3 * (reach > 1.0)
    assert min(seen) - lower < 0.01 + 0.3 * (reach > 1.0)
    term, at = FloatTerm(False, np.zeros((1, 1))), (np.array([u]), np.array([reach]), share)
    np.testing.assert_allclose(_envelope(term, *at, True), upper, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(_envelope(term, *at, False), lower, rtol=1e-3, atol=1e-5)


def test_curvatures_on_an_interval():
    with precision():
        for u, reach in ((0.5, 1.0), (2.0, 0.5), (-3.0, 1.0)):
            values = [float(mp.sech(u + t) ** 2) for t in np.linspace(-reach, reach, 101)]
            assert above(scalar.largest_curvature(ball(u), ball(reach))) >= max(values) - 1e-15
            assert below(scalar.smallest_curvature(ball(u), ball(reach))) <= min(values) + 1e-15
