"""Maxima that NaN does not slip through, wherever it stands."""

import numpy as np
import pytest

from emmd.kernels.largest import largest_modulus
from emmd.kernels.quadratic import relative_change, relative_change_of_parts

pytestmark = pytest.mark.kernels


def test_largest_modulus():
    assert largest_modulus(np.array([1.0, -3.0, 2.0])) == 3.0
    assert largest_modulus(np.array([1.0, -np.inf])) == np.inf


@pytest.mark.parametrize("place", range(4))
def test_nan_is_kept(place):
    x = np.array([1.0, -3.0, 2.0, 5.0])
    x[place] = np.nan
    assert np.isnan(largest_modulus(x))
    assert np.isnan(relative_change(np.eye(2), x, np.ones(4)))
    assert np.isnan(relative_change(np.eye(2), np.ones(4), x))


def test_the_largest_change_of_several_predictors():
    moment, theta = np.diag([1.0, 4.0]), np.array([3.0, 0.0, 0.0, 0.5])
    moved = np.array([0.0, 1.0, 2.0, 0.0])
    assert relative_change(moment, moved, theta) == 1.0
    assert relative_change(moment, moved[:2], theta[:2]) == 0.5


def test_parts_count_in_their_units():
    """Two experts with two predictors each, then two single numbers, then a gate with three features."""
    rng = np.random.default_rng(0)
    expert, gate = (a @ a.T for a in (rng.standard_normal((2, 2)), rng.standard_normal((3, 3))))
    moved, theta, units = rng.standard_normal(13), rng.standard_normal(13), np.array([0.5, 3.0])

    def change(moment, unit, span):
        sizes = [np.sqrt(v[span] @ moment @ v[span]) / unit for v in (moved, theta)]
        return sizes[0] / (1.0 + sizes[1])

    parts = [change(expert, units[k % 2], slice(2 * k, 2 * k + 2)) for k in range(4)]
    parts += [change(np.eye(1), 1.0, slice(j, j + 1)) for j in (8, 9)]
    parts += [change(gate, 1.0, slice(10, 13))]
    spans = [slice(2 * k, 2 * k + 2) for k in range(4)] + [slice(8, 9), slice(9, 10), slice(10, 13)]
    for part, span in zip(parts, spans):
        only = np.zeros(13)
        only[span] = moved[span]
        found = relative_change_of_parts(expert, gate, units, 8, 10, only, theta)
        assert found == pytest.approx(part, rel=50 * np.finfo(float).eps)
        only[span] = np.nan
        assert np.isnan(relative_change_of_parts(expert, gate, units, 8, 10, only, theta))
    assert relative_change_of_parts(expert, gate, units, 8, 10, moved, theta) == pytest.approx(max(parts))
