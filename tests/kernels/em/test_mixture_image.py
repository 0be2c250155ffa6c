"""What one pass tells of the experts' M-steps is written in its place, and what it does not tell is said."""

import math

import numpy as np
import pytest

from emmd.kernels.em.mixture_image import (
    DIGITS_KEPT,
    EMPTY,
    KEPT,
    MASS,
    PIVOT,
    REPORT,
    RESIDUAL,
    SQUARE,
    write_constant_gate,
    write_experts,
)

pytestmark = pytest.mark.kernels

EPS = np.finfo(float).eps
FITTED = np.arange(6.0).reshape(3, 2)
FLOOR = math.log(1e-12)


def _report():
    report = np.empty((3, REPORT))
    report[:, SQUARE] = 0.5, 2.0, 8.0
    report[:, RESIDUAL] = 1e-16, 3e-16, 2e-16
    report[:, PIVOT] = 0.5, 0.2, 0.7
    report[:, KEPT] = 0.6, 0.5, 0.9
    report[:, MASS] = 0.2, 0.5, 0.3
    return report


def _written(report, spread, floor=FLOOR):
    out = np.full(6 + spread, np.nan)
    return *write_experts(FITTED, report, floor, out), out


@pytest.mark.parametrize("spread", [0, 1, 3])
def test_what_is_told_is_written(spread):
    residual, curvature, out = _written(_report(), spread)
    assert (residual, curvature) == (3e-16, 0.2)
    np.testing.assert_array_equal(out[:6], np.arange(6.0))
    # 0.2 0.5 + 0.5 2 + 0.3 8 = 3.5
    expected = {0: [], 1: [math.log(3.5)], 3: np.log([0.5, 2.0, 8.0])}[spread]
    np.testing.assert_allclose(out[6:], expected, rtol=4 * EPS)


@pytest.mark.parametrize("expert", [0, 1, 2])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        (MASS, 0.9 * EMPTY),
        (MASS, np.nan),
        (KEPT, 0.9 * DIGITS_KEPT),
        (KEPT, np.nan),
        (SQUARE, 0.0),
        (SQUARE, -1.0),
        (SQUARE, np.nan),
    ],
)
def test_an_expert_without_rows_digits_or_spread_is_not_told(expert, column, value):
    report = _report()
    report[expert, column] = value
    assert _written(report, 3)[0] == np.inf


@pytest.mark.parametrize("spread", [0, 1, 3])
def test_a_variance_below_the_floor_is_not_told_where_it_is_free(spread):
    report = _report()
    report[:, SQUARE] *= 1e-14
    assert (_written(report, spread)[0] == np.inf) == (spread > 0)
    assert _written(report, spread, floor=-np.inf)[0] == 3e-16


def test_a_residual_that_is_no_number_is_handed_on():
    report = _report()
    report[1, RESIDUAL] = np.nan
    assert math.isnan(_written(report, 3)[0])


def test_a_constant_gate_is_that_of_the_masses():
    out = np.empty(2)
    write_constant_gate(_report(), out)
    np.testing.assert_allclose(out, np.log([2.0 / 3.0, 5.0 / 3.0]), rtol=4 * EPS)
