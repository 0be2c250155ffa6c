"""Maxima that NaN does not slip through, wherever it stands."""

import numpy as np
import pytest

from emmd.kernels.largest import largest_modulus
from emmd.kernels.quadratic import relative_change

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
