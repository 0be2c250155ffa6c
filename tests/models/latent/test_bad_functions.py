"""A function that is not what it should be is named in one sentence, with the row, before anything else."""

import itertools
import math
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from jax.lax import stop_gradient

import emmd

ROWS = np.array([0.5, 1.0, 3.0, 0.0])
NORMAL = {
    "natural_parameters": lambda theta, x: 1.0 * theta,
    "log_partition": lambda eta: 0.5 * eta[0] ** 2,
    "log_numerator": lambda eta, y: eta[0] * y,
}
_CALLS = itertools.count()
_RANDOM = np.random.default_rng(0)


def problem(**functions):
    return emmd.Problem(emmd.LatentModel(1, **{**NORMAL, **functions}), None, ROWS)


def test_the_right_functions_pass():
    assert problem().em_step([0.3]) == pytest.approx(ROWS.mean())


def counted(eta, y):
    """Two calls agree, and then two others: only the position of a row gives that away."""
    return np.asarray(eta)[0] * y + 1e-3 * (next(_CALLS) // 2)


@pytest.mark.parametrize(
    ("functions", "says"),
    [
        (
            {"natural_parameters": lambda theta, x: theta[0]},
            r"natural_parameters must return an array of shape \(D,\), got shape \(\)",
        ),
        (
            {"natural_parameters": lambda theta, x: theta[None]},
            r"natural_parameters must return .* got shape \(1, 1\)",
        ),
        (
            {"natural_parameters": lambda theta, x: (theta[0],)},
            r"natural_parameters must return an array or a number, got .* \(tuple\) in row 0",
        ),
        ({"log_partition": lambda eta: None}, "log_partition must return an array or a number, got None"),
        ({"log_partition": lambda eta: eta**2}, r"log_partition must return a number, got shape \(1,\)"),
        ({"log_numerator": lambda eta, y: eta * y}, r"log_numerator must return a number, got shape \(1,\)"),
        (
            {"log_partition": lambda eta: jnp.float32(0.5) * eta[0].astype(jnp.float32) ** 2},
            "log_partition must compute in double precision, got float32 in row 0",
        ),
        (
            {"log_numerator": lambda eta, y: eta[0] * y + _RANDOM.standard_normal()},
            "log_numerator must depend on its arguments alone, got two values in row 0",
        ),
        (
            {"log_numerator": counted},
            "log_numerator must not depend on where a row stands, got .* for row",
        ),
        (
            {"log_numerator": lambda eta, y: eta[0] * y + jnp.where(y == 3.0, jnp.nan, 0.0)},
            "log_numerator must be finite in the domain, got nan in row 2 at theta",
        ),
        (
            {"log_numerator": lambda eta, y: eta[0] * y + jnp.sqrt(0.0 * eta[0])},
            "the gradient of log_numerator must be finite in the domain, got nan in row 0",
        ),
        (
            {
                "natural_parameters": lambda theta, x: jnp.stack(
                    [theta[0] + stop_gradient(theta[0]), 0.0 * theta[0]]
                )
            },
            "natural_parameters must be differentiable .* in row 0",
        ),
        (
            {"log_partition": lambda eta: 0.5 * np.abs(np.asarray(eta)[0]) ** 2},
            "log_partition must .* complex numbers to complex numbers, got dtype float64 from them, in row 0",
        ),
        (
            {"log_partition": lambda eta: 0.5 * math.exp(eta[0])},
            "log_partition must be written with jax.numpy .* got ComplexWarning: .*, in row 0",
        ),
    ],
)
def test_a_bad_function_is_named_with_its_row(functions, says):
    with pytest.raises((ValueError, TypeError), match=says):
        problem(**functions)


def test_a_model_that_theta_does_not_change_is_refused():
    says = r"natural_parameters must change the model with theta, none of its 1 directions does"
    with pytest.raises(ValueError, match=says):
        emmd.minimize(problem(natural_parameters=lambda theta, x: jnp.round(theta)), [0.5])


def test_without_jax_functions_of_numpy_work_and_others_are_told_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    assert problem().em_step([0.3]) == pytest.approx(ROWS.mean())
    with pytest.raises(ValueError, match=r"log_partition must be written with jax.numpy .*emmd\[jax\]"):
        problem(log_partition=lambda eta: 0.5 * math.exp(eta[0]))


def test_complex_steps_and_automatic_derivatives_agree():
    def natural(np_like):
        return lambda theta, x: np_like.exp(theta) + x["offset"] * theta**2

    def numerator(eta, y):
        return eta[0] * y[0] - 0.1 * y[1].sum() * eta[0] ** 2

    X = {"offset": np.linspace(0.1, 0.4, 4)}
    y = (ROWS, np.arange(8.0).reshape(4, 2) > 3.0)
    automatic, stepped = (
        emmd.Problem(emmd.LatentModel(1, natural(np_like), NORMAL["log_partition"], numerator), X, y)
        for np_like in (jnp, np)
    )
    assert automatic.model._derivatives.automatic
    assert not stepped.model._derivatives.automatic
    theta = [0.3]
    np.testing.assert_allclose(stepped.gradient(theta), automatic.gradient(theta), rtol=1e-14)
    np.testing.assert_allclose(stepped.informations(theta), automatic.informations(theta), rtol=1e-9)
    np.testing.assert_allclose(stepped.em_step(theta), automatic.em_step(theta), rtol=1e-12)


@pytest.mark.parametrize(
    ("X", "y", "kind", "says"),
    [
        (None, None, ValueError, "y must be an array, or a tuple or dict of arrays, got None"),
        (ROWS, ROWS[:3], ValueError, r"X and y must have as many rows in every array, got \[3, 4\]"),
        ({"a": ["x"] * 4}, ROWS, TypeError, r"X\['a'\] must hold numbers or truth values"),
        (None, (ROWS, [1.0, np.inf, 0.0, 0.0]), ValueError, r"y\[1\] must be finite.*need a mask"),
        (None, 3.0, ValueError, r"y must have rows along its first axis, got shape \(\)"),
    ],
)
def test_bad_rows_are_named(X, y, kind, says):
    with pytest.raises(kind, match=says):
        emmd.Problem(emmd.LatentModel(1, **NORMAL), X, y)
