"""Any map R^p -> R^p is accelerated by the algorithms that accelerate EM, and its contraction is measured."""

import numpy as np
import pytest

import emmd
from emmd import theory

METHODS = ["squarem", "anderson", "over_relaxation"]
VALUES = np.array([0.995, 0.9, 0.5, 0.1])


def linear_map(values=VALUES, skew=0.3):
    """Return a map with known eigenvalues and fixed point; its matrix is not symmetric."""
    p = len(values)
    basis = np.eye(p) + skew * np.triu(np.ones((p, p)), 1)
    matrix = basis @ np.diag(values) @ np.linalg.inv(basis)
    target = np.linspace(-1.0, 2.0, p)
    return lambda x: target + matrix @ (x - target), target


@pytest.mark.parametrize("method", METHODS)
def test_a_slow_map_is_accelerated_and_every_evaluation_counted(method):
    function, target = linear_map()
    calls = []

    def counted(x):
        calls.append(x)
        return function(x)

    run = emmd.accelerate(counted, np.zeros(4), method, tol=1e-9, record=True)
    assert run.success
    assert run.nfev == len(calls)
    # the plain map needs log(1e9) / 0.005, and relaxation by nearly 2 half of that
    assert run.nfev < (2100 if method == "over_relaxation" else 150)
    np.testing.assert_allclose(run.x, target, atol=1e-6)
    assert run.fun == pytest.approx(np.sqrt(np.mean((function(run.x) - run.x) ** 2)))
    assert run.trace.theta.shape == (run.nit + 1, 4)


def test_anderson_solves_a_linear_map_in_as_many_steps_as_dimensions():
    function, target = linear_map(np.array([0.9, 0.5, -0.2]))
    run = emmd.accelerate(function, np.zeros(3), "anderson", step_max=1e3)
    assert run.nfev <= 8
    np.testing.assert_allclose(run.x, target, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_map_of_em_ends_where_minimize_ends(method):
    model = emmd.SymMoLinE(2)
    X, y, _ = model.sample([1.0, 0.5, 0.3, -0.2], 200, 0)
    problem = emmd.Problem(model, X, y)
    run = emmd.accelerate(problem.em_step, [0.5, 0.5, 0.1, 0.1], method, tol=1e-11)
    assert run.success
    np.testing.assert_allclose(run.x, emmd.minimize(problem, run.x, tol=1e-12).x, atol=1e-9)


def test_no_step_is_taken_where_a_map_is_not_defined():
    def root(x):
        return np.sqrt(x) if x[0] > 0.0 else np.full(1, np.nan)

    for method in METHODS:
        run = emmd.accelerate(root, [1e-3], method)
        assert run.success
        assert run.x[0] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="fixed_point_map must be finite at x0"):
        emmd.accelerate(root, [-1.0])
    away = emmd.accelerate(lambda x: np.exp(3.0 * x), [1.0], max_iter=50)
    assert (away.success, away.status) == (False, emmd.Status.DIVERGING)
    assert np.isfinite(away.x).all()


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        ((3.0, [0.0]), TypeError, "fixed_point_map must be a function, got 3.0"),
        ((lambda x: x[:1], [0.0, 1.0]), ValueError, r"fixed_point_map must return .* of shape \(2,\)"),
        ((lambda x: [[1.0], [1.0, 2.0]], [0.0, 1.0]), ValueError, r"fixed_point_map must return .*\[\[1.0\]"),
        ((lambda x: x, [[0.0]]), ValueError, "x0 must"),
        ((lambda x: x, [0.0], "em"), ValueError, "method must be one of anderson, over_relaxation, squarem"),
        ((lambda x: x, [0.0], "squarem", 0.0), ValueError, "tol must"),
    ],
)
def test_bad_arguments_are_named(arguments, kind, says):
    with pytest.raises(kind, match=says):
        emmd.accelerate(*arguments)


def test_the_map_is_the_base():
    with pytest.raises(ValueError, match="base must be left out"):
        emmd.accelerate(lambda x: x, [0.0], base="em")


@pytest.mark.parametrize(
    "values", [VALUES, np.array([0.3, -0.8, 0.1]), np.r_[0.97, np.linspace(-0.9, 0.9, 129)]]
)
def test_the_contraction_of_a_map_is_its_spectral_radius(values):
    function, target = linear_map(values, 0.3 / len(values))
    found = theory.contraction(function, target)
    assert abs(found.value - np.abs(values).max()) <= found.error + 1e-12
    assert found.error < 1e-6


def test_a_rotation_has_complex_eigenvalues_and_a_hole_has_none():
    found = theory.contraction(lambda x: 0.5 * np.array([x[1], -x[0]]), [0.0, 0.0])
    assert found.value == pytest.approx(0.5, abs=1e-9)
    assert np.iscomplexobj(found.eigenvalues)
    with pytest.raises(ValueError, match="theta must"):
        theory.contraction(lambda x: x * np.nan, [0.0])
