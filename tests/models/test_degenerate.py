"""Degenerate fits by `emmd.minimize`: named in the status, finite, never a success, whatever the method."""

import numpy as np
import pytest

import emmd
from emmd.estimators.starts.draw import draw_starts, start_from
from tests.generators.degenerate import FAMILIES, FEATURES, PAIRS, case, certain, drawn


def problem_of(name, X, y, K=2):
    family, options = FAMILIES[name]
    model = emmd.MixtureOfExperts(X.shape[1] + 1, K, family, **options)
    return emmd.Problem(model, np.column_stack([X, np.ones(len(X))]), y)


def is_named(run, status):
    assert run.status == status, run.message
    assert not run.success
    assert run.message == status.message
    assert np.isfinite(run.x).all()
    assert np.isfinite(run.jac).all()
    assert np.isfinite(run.fun)
    assert np.isfinite(run.trace.loss).all()
    assert np.isfinite(run.trace.displacement).all()
    return True


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_em_names_it(kind, name):
    X, y, status = case(kind, name)
    problem = problem_of(name, X, y)
    start = start_from(problem, "", certain(kind, X)).theta
    assert is_named(emmd.minimize(problem, start, tol=1e-8), status)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_empty_expert(name):
    problem = problem_of(name, FEATURES, drawn(name), K=3)
    model = problem.model
    named = model.unpack(draw_starts(problem, 1, 0)[0].theta)
    named["gate"] = np.array([[0.0, 0.0, -60.0], [0.0, 0.0, 0.0]])
    assert is_named(emmd.minimize(problem, model.pack(**named)), emmd.Status.EMPTY_EXPERT)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_row_three_times_is_the_same_problem(name):
    X, y = FEATURES, drawn(name)
    once, thrice = problem_of(name, X, y), problem_of(name, np.tile(X, (3, 1)), np.tile(y, 3))
    start = draw_starts(once, 1, 0)[0].theta
    one, other = (emmd.minimize(problem, start, max_iter=20, tol=1e-8) for problem in (once, thrice))
    assert one.status == other.status
    np.testing.assert_allclose(one.trace.loss, other.trace.loss, rtol=0, atol=1e-12)


METHODS = [
    ("squarem", {}),
    ("anderson", {}),
    ("over_relaxation", {}),
    ("generalized_em", {}),
    ("gradient_descent", {"step_size": "backtracking"}),
]


@pytest.mark.parametrize(("method", "options"), METHODS, ids=[method for method, _ in METHODS])
@pytest.mark.parametrize(
    ("kind", "name"), [("exact fit", "shared"), ("exact fit", "gamma"), ("separable", "bernoulli")]
)
def test_no_method_calls_it_a_success_even_with_a_loose_tolerance(kind, name, method, options):
    X, y, status = case(kind, name)
    problem = problem_of(name, X, y)
    for tol in (1e-8, 1e-2):
        start = draw_starts(problem, 2, 0)[1].theta
        run = emmd.minimize(problem, start, method, tol=tol, max_iter=100, **options)
        assert is_named(run, status)


def test_a_loose_tolerance_is_not_a_runaway():
    """EM's step and Newton's differ by a factor of up to 2 here; far below 1 they agree."""
    problem = problem_of("gamma", FEATURES, drawn("gamma"))
    for start in draw_starts(problem, 6, 0):
        assert emmd.minimize(problem, start.theta, tol=0.3).status == emmd.Status.CONVERGED
