"""Elementary functions: accuracy in ulp against mpmath, special values, use inside reassociating kernels."""

import math

import mpmath
import numba
import numpy as np
import pytest

from emmd.kernels.compile.jit import kernel
from emmd.kernels.maths import elementary
from emmd.kernels.maths.elementary import (
    at_most_one,
    exp,
    exp_nonpositive,
    expm1,
    log,
    log1p,
    log1p_of_third,
    log1p_unit,
    sigmoid,
    softplus,
    twice_atanh_third,
)

pytestmark = pytest.mark.kernels

POINTS = 200  # per family of points below
SMALLEST = 2.0**-1074
LARGEST = np.finfo(float).max
LN2 = math.log(2.0)

# What the docstrings promise, in ulp of the true value.
ULP = {
    "exp": 1.1,
    "exp_nonpositive": 1.1,
    "expm1": 2.0,
    "log": 1.0,
    "log1p": 2.0,
    "log1p_of_third": 1.5,
    "log1p_unit": 1.5,
    "sigmoid": 3.0,
    "softplus": 3.0,
    "twice_atanh_third": 1.0,
}


TRUE = {
    "exp": mpmath.exp,
    "exp_nonpositive": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "log1p_of_third": mpmath.log1p,
    "log1p_unit": mpmath.log1p,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "twice_atanh_third": lambda x: 2 * mpmath.atanh(x),
}


def _magnitudes(rng, low, high):
    return np.exp(rng.uniform(math.log(low), math.log(high), POINTS))


def _signed(rng, low, high):
    return rng.choice([-1.0, 1.0], POINTS) * _magnitudes(rng, low, high)


def _beside(rng, x):
    """Move ``x`` by a few ulp."""
    return x * (1.0 + rng.integers(-4, 5, POINTS) * 2.0**-52)


def _points_of_the_line(rng):
    """Any sign and size; the reduction changes k at odd multiples of ln(2) / 2."""
    boundaries = _beside(rng, (rng.integers(-1074, 1023, POINTS) + 0.5) * LN2)
    small_boundaries = _beside(rng, (rng.integers(-4, 4, POINTS) + 0.5) * LN2)
    underflow = rng.uniform(-746.0, -708.0, POINTS)
    return np.concatenate(
        [
            rng.uniform(-746.0, 709.7, POINTS),
            rng.uniform(-3.0, 3.0, POINTS),
            rng.uniform(-40.0, 40.0, POINTS),
            _signed(rng, 1e-20, 700.0),
            _signed(rng, SMALLEST, 1e-290),
            boundaries,
            small_boundaries,
            underflow,
            [0.0, 1.0, -1.0, 709.782712893384, -745.1332191019411, -745.133219101942, 20.0, -20.0],
        ]
    )


def _points_of_the_half_line(rng):
    """Positive numbers; the splitting changes k at odd powers of sqrt(2)."""
    boundaries = _beside(rng, np.sqrt(2.0) ** (2.0 * rng.integers(-1000, 1000, POINTS) + 1.0))
    return np.concatenate(
        [
            _magnitudes(rng, SMALLEST, LARGEST),
            _magnitudes(rng, SMALLEST, 2.0**-1022),
            rng.uniform(0.3, 3.0, POINTS),
            1.0 + _signed(rng, 1e-16, 0.5),
            boundaries,
            [1.0, SMALLEST, 2.0**-1022, LARGEST, math.sqrt(2.0), math.sqrt(0.5)],
        ]
    )


def _points_above_minus_one(rng):
    boundaries = _beside(rng, np.sqrt(2.0) ** (2.0 * rng.integers(-50, 60, POINTS) + 1.0) - 1.0)
    return np.concatenate(
        [
            _points_of_the_half_line(rng),
            _signed(rng, SMALLEST, 0.999),
            rng.uniform(-0.999, 3.0, POINTS),
            -1.0 + _magnitudes(rng, 2.0**-52, 0.5),
            boundaries,
            [0.0, -1.0 + 2.0**-53, 2.0**54, 2.0**1023],
        ]
    )


def _points(name):
    rng = np.random.default_rng(list(name.encode()))
    if name == "log":
        return _points_of_the_half_line(rng)
    if name == "log1p":
        return _points_above_minus_one(rng)
    if name in {"log1p_unit", "log1p_of_third"}:
        x = _points_above_minus_one(rng)
        return np.append(x[(x >= 0.0) & (x <= 1.0)], [0.0, 1.0])
    if name == "twice_atanh_third":
        x = np.concatenate([_signed(rng, SMALLEST, 1 / 3), rng.uniform(-1 / 3, 1 / 3, 5 * POINTS)])
        return np.append(x, [0.0, 1 / 3, -1 / 3])
    x = _points_of_the_line(rng)
    if name == "exp_nonpositive":
        return -np.abs(x)
    return x if name in {"exp", "expm1"} else np.concatenate([x, -x])


def _error(value, true):
    """Distance in ulp of the true value; an ulp is never below the smallest subnormal number."""
    exponent = mpmath.frexp(true)[1] - 53 if true else -1074
    return float(abs(mpmath.mpf(float(value)) - true) / mpmath.mpf(2) ** max(exponent, -1074))


def _worst(name, x, values):
    with mpmath.workprec(160):
        errors = [_error(v, TRUE[name](mpmath.mpf(float(u)))) for u, v in zip(x, values, strict=True)]
    worst = int(np.argmax(errors))
    return errors[worst], float(x[worst])


@numba.njit(error_model="numpy")
def _log1p_by_third(t):
    return log1p_of_third(t, t / (2.0 + t))


def _function(name):
    """Return a function of one number: of the two that one takes, the second follows from the first."""
    return _log1p_by_third if name == "log1p_of_third" else getattr(elementary, name)


@kernel
def _all_of(x, positive, unit, out):
    for i in range(x.shape[0]):
        out[0, i] = exp(x[i])
        out[1, i] = exp_nonpositive(-positive[i])
        out[2, i] = expm1(x[i])
        out[3, i] = log(positive[i])
        out[4, i] = log1p(positive[i] - 0.75)
        out[5, i] = log1p_of_third(unit[i], unit[i] / (2.0 + unit[i]))
        out[6, i] = log1p_unit(unit[i])
        out[7, i] = sigmoid(x[i])
        out[8, i] = softplus(x[i])
        out[9, i] = twice_atanh_third(unit[i] / 3.0)


@kernel
def _sum_of_softplus(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += softplus(x[i])
    return total


# Before the other tests on purpose: a leaf compiled first by a reassociating caller is the dangerous order.
def test_a_kernel_that_may_reassociate_keeps_the_accuracy():
    x = _points_of_the_line(np.random.default_rng(1))
    positive = 0.75 + np.abs(x)
    out = np.empty((len(ULP), x.size))
    unit = np.minimum(positive - 0.75, 1.0)
    _all_of(x, positive, unit, out)
    arguments = {"exp_nonpositive": -positive, "log": positive, "log1p": positive - 0.75}
    arguments |= {"log1p_of_third": unit, "log1p_unit": unit, "twice_atanh_third": unit / 3.0}
    for name, values in zip(ULP, out, strict=True):
        worst, at = _worst(name, arguments.get(name, x), values)
        assert worst <= ULP[name], (name, at)


@pytest.mark.parametrize("name", ULP)
def test_ulp(name):
    x = _points(name)
    function = _function(name)
    worst, at = _worst(name, x, [function(u) for u in x])
    assert worst <= ULP[name], at


def test_every_public_function_is_tested():
    assert sorted([*ULP, "at_most_one"]) == elementary.__all__


def test_a_sum_agrees_with_the_sum_of_the_values():
    x = np.random.default_rng(2).normal(scale=5.0, size=1003)
    assert _sum_of_softplus(x) == pytest.approx(math.fsum(np.logaddexp(0.0, x)), rel=1e-14)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (at_most_one, 1.0 + 2.0**-52, 1.0),
        (at_most_one, 1.0 - 2.0**-53, 1.0 - 2.0**-53),
        (at_most_one, math.nan, math.nan),
        (exp, math.inf, math.inf),
        (exp, -math.inf, 0.0),
        (exp, 0.0, 1.0),
        (exp, 709.7827128933841, math.inf),
        (exp, 1e308, math.inf),
        (exp, -745.14, 0.0),
        (exp, -1e308, 0.0),
        (exp_nonpositive, -math.inf, 0.0),
        (exp_nonpositive, 0.0, 1.0),
        (exp_nonpositive, -745.14, 0.0),
        (exp_nonpositive, -745.0, SMALLEST),
        (exp_nonpositive, -1e308, 0.0),
        (expm1, math.inf, math.inf),
        (expm1, -math.inf, -1.0),
        (expm1, 0.0, 0.0),
        (expm1, 710.0, math.inf),
        (expm1, -38.0, -1.0),
        (expm1, SMALLEST, SMALLEST),
        (log, 0.0, -math.inf),
        (log, -0.0, -math.inf),
        (log, 1.0, 0.0),
        (log, math.inf, math.inf),
        (log, -1.0, math.nan),
        (log, -SMALLEST, math.nan),
        (log, -math.inf, math.nan),
        (log1p, -1.0, -math.inf),
        (log1p, 0.0, 0.0),
        (log1p, math.inf, math.inf),
        (log1p, -1.0 - 2.0**-52, math.nan),
        (log1p, -3.0, math.nan),
        (log1p, -math.inf, math.nan),
        (log1p, -SMALLEST, -SMALLEST),
        (sigmoid, 0.0, 0.5),
        (sigmoid, math.inf, 1.0),
        (sigmoid, -math.inf, 0.0),
        (softplus, math.inf, math.inf),
        (softplus, -math.inf, 0.0),
        (softplus, 1e308, 1e308),
    ],
)
def test_special_values(function, x, expected):
    assert function(x) == pytest.approx(expected, rel=0.0, abs=0.0, nan_ok=True)


@pytest.mark.parametrize("name", ULP)
def test_nan_gives_nan(name):
    assert math.isnan(_function(name)(math.nan))


@pytest.mark.parametrize("name", ULP)
def test_numpy_numbers_of_another_type(name):
    function = _function(name)
    assert function(np.float32(0.25)) == function(0.25)
    assert function(np.int64(1)) == function(1.0)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="there is no machine code to look at")
@pytest.mark.parametrize("name", ULP)
def test_loops_are_vectorised(name):
    function = _function(name)

    @numba.njit(error_model="numpy")
    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    loop(np.ones(3), np.ones(3))
    (code,) = loop.inspect_llvm().values()
    assert " x double> " in code, "LLVM left the loop scalar"
