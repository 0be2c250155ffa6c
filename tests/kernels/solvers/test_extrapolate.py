"""Where a path leads: exact for up to six modes, not much further than it came, and nowhere from nowhere."""

import numpy as np
import pytest

from emmd.algorithms.em import _remembered
from emmd.kernels.solvers.extrapolate import MEMORY, extrapolate

pytestmark = pytest.mark.kernels

EPS = np.finfo(float).eps
SCALE = np.array([0.5, 2.0, 30.0, 1.0])
UNIT = np.repeat([4.0, 1.0], 4)
WEIGHT = UNIT * np.tile(SCALE, 2)


def _extrapolate(theta, displacements):
    out = np.full(8, np.nan)
    worthwhile = extrapolate(WEIGHT, theta, np.ascontiguousarray(displacements), out)
    assert worthwhile == np.isfinite(out).all()
    return out if worthwhile else None


def _path(rates, steps):
    """Return points of a linear map with the given eigenvalues on its way to its fixed point."""
    rng = np.random.default_rng(3)
    limit, modes = rng.standard_normal(8), rng.standard_normal((len(rates), 8)) / WEIGHT
    return np.array([limit + np.array(rates) ** t @ modes for t in range(steps)])


def _newest_first(points):
    return np.diff(points, axis=0)[::-1]


@pytest.mark.parametrize("modes", [1, 2, 3, 4, 5, 6])
def test_modes_are_followed_exactly(modes):
    points = _path([0.9, -0.7, 0.5, 0.3, -0.3, 0.1][:modes], modes + 3)
    moves = _newest_first(points[:-1])
    found = _extrapolate(points[-2], moves)
    # rounding of the displacements, magnified by what tells the modes apart
    columns = WEIGHT * moves[1 : modes + 1]
    budget = (
        50 * EPS * np.abs(WEIGHT * points[-2]).sum() * np.linalg.cond(columns / np.linalg.norm(columns[0]))
    )
    missed = np.linalg.norm(WEIGHT * (found - points[-1]))
    assert missed <= budget + 1e-9
    assert missed < 1e-6 * np.linalg.norm(WEIGHT * (points[-1] - points[-2]))


def test_every_displacement_counts():
    """With one displacement less than modes, the path is missed by orders more."""
    points = _path([0.9, -0.7, 0.5, 0.3, -0.3, 0.1], 9)
    moves = _newest_first(points[:-1])
    missed = [
        np.abs(WEIGHT * (_extrapolate(points[-2], moves[:m]) - points[-1])).sum() for m in (2, 4, MEMORY)
    ]
    assert missed[0] > 10 * missed[1] > 1000 * missed[2]


@pytest.mark.parametrize("rates", [[1.3, 0.5], [-0.9, 1.5]])
def test_a_path_that_grows_is_followed(rates):
    points = _path(rates, 5)
    np.testing.assert_allclose(_extrapolate(points[3], _newest_first(points[:4])), points[4], rtol=1e-9)


def test_a_path_that_bolts_is_followed_no_further_than_its_last_step():
    points = _path([3.0, 0.5], 5)
    moves = _newest_first(points[:4])
    last, following = (WEIGHT * move for move in (moves[0], points[4] - points[3]))
    assert np.linalg.norm(following) > 2.0 * np.linalg.norm(last)
    move = WEIGHT * (_extrapolate(points[3], moves) - points[3])
    assert np.linalg.norm(move) <= np.linalg.norm(last) * (1.0 + 1e-12)


def test_as_many_modes_as_parameters_are_followed():
    rates, modes = np.array([0.8, 0.3]), np.array([[1.0, 2.0], [-1.0, 1.0]])
    points = np.array([rates**t @ modes for t in range(MEMORY + 2)])
    out = np.empty(2)
    assert extrapolate(np.ones(2), points[-2], np.ascontiguousarray(_newest_first(points[:-1])), out)
    np.testing.assert_allclose(out, points[-1], rtol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-10, np.nan])
def test_a_path_that_ends_leads_nowhere(size):
    moves = _newest_first(_path([0.9, 0.4], 4)).copy()
    moves[0] *= size
    assert _extrapolate(np.zeros(8), moves) is None


@pytest.mark.parametrize("before", [0.0, np.nan])
def test_no_displacement_before_the_last_leads_nowhere(before):
    moves = np.full((3, 8), before)
    moves[0] = 1.0
    assert _extrapolate(np.zeros(8), moves) is None


@pytest.mark.parametrize(("kept", "room"), [(0, 1), (1, 2), (MEMORY - 1, MEMORY), (MEMORY, MEMORY)])
def test_the_last_displacements_are_remembered(kept, room):
    past, new = np.arange(4.0 * kept).reshape(kept, 4), np.full(4, -1.0)
    found = _remembered(new, past if kept else None)
    np.testing.assert_array_equal(found, np.vstack([new, past])[:room])
    assert found.flags.c_contiguous
