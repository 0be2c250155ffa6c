"""Runs do not depend on the units of the columns or of the target.

Powers of two change no digit of any product, so the paths must agree bit by bit: one forgotten scale anywhere
in a step, a safeguard or the stopping rule shows.
"""

import numpy as np
import pytest

import emmd
from tests.generators.cases import NAMES, both, model

COLUMNS = np.array([2.0**20, 2.0**-18, 2.0**9])
GEOMETRIC = ["em", "mirror_descent", "squarem", "anderson", "over_relaxation", "generalized_em"]


def _sample(name):
    X = np.random.default_rng(12).standard_normal((500, 3))
    truth = np.array([1.5, -1.0, 1.0, -1.0, -1.5, 1.0])
    return X, model(name, 3).sample_y(truth, X, 4), 0.8 * truth


def _run(name, X, y, start, method, sigma=1.0, **options):
    return emmd.minimize(both(name, X, y, sigma=sigma)[0], start, method=method, record=True, **options)


@pytest.mark.parametrize("method", GEOMETRIC)
@pytest.mark.parametrize("name", NAMES)
def test_columns(name, method):
    X, y, start = _sample(name)
    factor = np.tile(COLUMNS, 2)
    plain = _run(name, X, y, start, method)
    scaled = _run(name, X * COLUMNS, y, start / factor, method)
    assert plain.status == scaled.status == emmd.Status.CONVERGED
    np.testing.assert_array_equal(scaled.trace.theta * factor, plain.trace.theta)
    np.testing.assert_array_equal(scaled.trace.loss, plain.trace.loss)
    np.testing.assert_array_equal(scaled.trace.displacement, plain.trace.displacement)


@pytest.mark.parametrize("method", GEOMETRIC)
@pytest.mark.parametrize("sigma", [2.0**-7, 2.0**7])
def test_target(method, sigma):
    X, y, start = _sample("symmoline")
    factor = np.repeat([sigma, 1.0], 3)
    # a few steps: the loss differs by log sigma, so safeguards may decide otherwise at the level of rounding
    plain = _run("symmoline", X, y, start, method, max_iter=5)
    scaled = _run("symmoline", X, sigma * y, start * factor, method, sigma=sigma, max_iter=5)
    np.testing.assert_array_equal(scaled.trace.theta, plain.trace.theta * factor)
    np.testing.assert_array_equal(scaled.trace.displacement, plain.trace.displacement)
    np.testing.assert_allclose(scaled.trace.loss, plain.trace.loss + np.log(sigma), rtol=1e-14)


@pytest.mark.parametrize("method", ["gradient_em", "gradient_descent"])
@pytest.mark.parametrize("name", NAMES)
def test_gradient_steps_depend_on_units_but_the_stopping_rule_does_not(name, method):
    X, y, start = _sample(name)
    sigma = 2.0**-3 if name == "symmoline" else 1.0
    plain = _run(name, X, y, start, method, max_iter=1)
    factor = np.tile(COLUMNS, 2) / np.repeat([sigma, 1.0], 3)
    scaled = _run(
        name, X * COLUMNS, sigma * y, start / factor, method, sigma=sigma, max_iter=1, step_size=1e-30
    )
    assert scaled.trace.displacement[0] == plain.trace.displacement[0]


@pytest.mark.parametrize("sigma", [0.2, 5.0])
def test_what_stops_a_gradient_method_is_at_most_the_em_displacement(sigma):
    """Where the curvature of the potentials is largest, it is the EM displacement itself."""
    X, y, start = _sample("symmoline")
    problem, naive = both("symmoline", X, sigma * y, sigma=sigma)
    theta = start * np.repeat([sigma, 0.0], 3)
    lower = problem.model.precondition(problem.data, problem.gradient(theta), theta)
    full = np.linalg.solve(naive.complete_hessian(theta), naive.gradient(theta))
    # at w = 0 the gate's curvature is 1/4 everywhere; the expert's is 1
    np.testing.assert_allclose(lower, full, rtol=0, atol=1e-13 * np.abs(full).max())
    theta = start * np.repeat([sigma, 1.0], 3)
    lower = problem.model.precondition(problem.data, problem.gradient(theta), theta)
    full = theta - problem.em_step(theta)
    sizes = [problem.model.relative_size(problem.data, step, theta) for step in (lower, full)]
    assert 0.2 * sizes[1] < sizes[0] < sizes[1]


@pytest.mark.parametrize("value", [0.1, 1.0, -1e6 / 3])
def test_a_target_that_is_constant_but_for_rounding_has_no_size_of_its_own(value):
    X = np.random.default_rng(0).standard_normal((1003, 2))
    weights = np.random.default_rng(1).uniform(size=1003)
    mixture = emmd.MixtureOfExperts(2, 2, family="gaussian")
    assert emmd.Problem(mixture, X, np.full(1003, value), weights).data.sizes[0] == 1.0
    # a spread of a few units in the last places is data, not rounding
    varied = value * (1.0 + 1e-12 * X[:, 0])
    assert emmd.Problem(mixture, X, varied, weights).data.sizes[0] < 1e-11 * abs(value)
