"""Maxima that NaN does not slip through, wherever it stands."""

import numpy as np
import pytest

from emmd.kernels.linear.quadratic import relative_change, relative_change_of_parts
from emmd.kernels.maths.vectors import largest_modulus

pytestmark = pytest.mark.kernels

EPS = np.finfo(float).eps


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

    def norm(moment, v):
        square, terms = v @ moment @ v, np.abs(v) @ np.abs(moment) @ np.abs(v)
        # two sums of len(v) terms on either side, each with a product, and half of that for the root
        return np.sqrt(square), (2.0 * len(v) + 2.0) * EPS * terms / square

    def change(moment, unit, span):
        (moved_size, moved_lost), (size, lost) = (norm(moment, vector[span]) for vector in (moved, theta))
        return moved_size / (unit + size), moved_lost + lost + 3.0 * EPS

    spans = [slice(2 * k, 2 * k + 2) for k in range(4)] + [slice(8, 9), slice(9, 10), slice(10, 13)]
    moments = [expert] * 4 + [np.eye(1)] * 2 + [gate]
    found = []
    for moment, unit, span in zip(moments, [*np.tile(units, 2), 1.0, 1.0, 1.0], spans):
        only = np.zeros(13)
        only[span] = moved[span]
        expected, budget = change(moment, unit, span)
        found.append(relative_change_of_parts(expert, gate, units, 8, 10, only, theta))
        assert found[-1] == pytest.approx(expected, rel=budget)
        only[span] = np.nan
        assert np.isnan(relative_change_of_parts(expert, gate, units, 8, 10, only, theta))
    assert relative_change_of_parts(expert, gate, units, 8, 10, moved, theta) == max(found)
