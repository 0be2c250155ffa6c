"""Where a path leads: exact for two modes, never further than it has come, and nowhere from nowhere."""

import numpy as np
import pytest

from emmd.kernels.foretell import foretell

pytestmark = pytest.mark.kernels

SCALE = np.array([0.5, 2.0, 30.0])
UNIT = np.array([4.0, 4.0, 4.0, 1.0, 1.0, 1.0])


def _foretell(theta, last, before, earlier):
    out = np.full(6, np.nan)
    worthwhile = foretell(UNIT, SCALE, UNIT * theta, last, before, earlier, out)
    assert worthwhile == np.isfinite(out).all()
    return out / UNIT if worthwhile else None


def _path(rates, steps=5):
    """Return points of a linear map with the given eigenvalues on its way to its fixed point."""
    rng = np.random.default_rng(3)
    limit, modes = rng.standard_normal(6), rng.standard_normal((len(rates), 6))
    return [limit + np.array(rates) ** t @ modes for t in range(steps)]


def test_two_modes_are_followed_exactly():
    points = _path([0.9, 0.4])
    earlier, before, last, following = np.diff(points, axis=0)
    weight = UNIT * np.tile(SCALE, 2)
    found = _foretell(points[3], last, before, earlier)
    # the normal equations lose what the two displacements have in common
    u, v = (weight * move / np.linalg.norm(weight * move) for move in (before, earlier))
    budget = 50 * 2.0**-53 / (1.0 - (u @ v) ** 2)
    assert np.linalg.norm(weight * (found - points[4])) <= budget * np.linalg.norm(weight * points[3])
    assert budget * np.linalg.norm(weight * points[3]) < 1e-9 * np.linalg.norm(weight * following)


def test_one_mode_is_followed_from_two_displacements():
    points = _path([0.8])
    before, last, _ = np.diff(points[1:], axis=0)
    np.testing.assert_allclose(_foretell(points[3], last, before, before), points[4], rtol=1e-12)


@pytest.mark.parametrize("rates", [[1.3, 0.5], [-0.9, 1.5]])
def test_a_path_that_grows_is_followed_no_further_than_its_last_step(rates):
    points = _path(rates)
    earlier, before, last, following = np.diff(points, axis=0)
    weight = UNIT * np.tile(SCALE, 2)
    assert np.linalg.norm(weight * following) > np.linalg.norm(weight * last)
    move = (_foretell(points[3], last, before, earlier) - points[3]) * weight
    assert np.linalg.norm(move) <= np.linalg.norm(weight * last) * (1.0 + 1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-10, np.nan])
def test_a_path_that_ends_leads_nowhere(size):
    points = _path([0.9, 0.4])
    earlier, before, last, _ = np.diff(points, axis=0)
    assert _foretell(points[3], size * last, before, earlier) is None


def test_no_displacement_before_the_last_leads_nowhere():
    assert _foretell(np.zeros(6), np.ones(6), np.zeros(6), np.zeros(6)) is None
