"""Starts: reproducible, the same for weights and repeated rows, and the best proper one is kept."""

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

import emmd
from emmd.starts import KINDS, best_run, draw_starts


def problem(K=3, n=200, repeats=None):
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.standard_normal((n, 2)), np.ones(n)])
    y = np.where(rng.random(n) < 0.5, X @ [1.0, 1.0, 1.0], X @ [-1.0, 0.5, -1.0])
    y = y + 0.3 * rng.standard_normal(n)
    model = emmd.MixtureOfExperts(3, K)
    if repeats is None:
        return emmd.Problem(model, X, y)
    return emmd.Problem(model, X.repeat(repeats, axis=0), y.repeat(repeats))


def test_kinds_in_turn_and_a_start_does_not_depend_on_how_many_follow():
    few, many = draw_starts(problem(), 4, 7), draw_starts(problem(), 6, 7)
    assert [start.kind for start in many] == [*KINDS, *KINDS]
    for one, other in zip(few, many):
        np.testing.assert_array_equal(one.theta, other.theta)
    assert len({start.theta.tobytes() for start in many}) == 6
    assert not np.array_equal(draw_starts(problem(), 1, 8)[0].theta, few[0].theta)


@pytest.mark.parametrize("index", range(3), ids=KINDS)
def test_a_row_of_weight_two_starts_like_the_row_twice(index):
    repeats = np.random.default_rng(0).integers(1, 4, 200)
    plain = problem()
    weighted = emmd.Problem(plain.model, plain.X, plain.y, repeats.astype(float))
    one, other = draw_starts(weighted, 3, 1)[index], draw_starts(problem(repeats=repeats), 3, 1)[index]
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-8, atol=1e-8)


def ended(status, loss):
    return OptimizeResult(status=int(status), fun=loss)


def test_a_degenerate_run_is_never_kept_over_a_proper_one():
    status = emmd.Status
    collapsed, proper = ended(status.VARIANCE_COLLAPSE, -50.0), ended(status.CONVERGED, 1.0)
    unfinished, better = ended(status.ITERATION_LIMIT, 0.5), ended(status.CONVERGED, 0.9)
    assert best_run([collapsed, proper]) == 1
    assert best_run([collapsed, unfinished]) == 1
    assert best_run([unfinished, collapsed, proper, better]) == 3
    assert best_run([collapsed, ended(status.DIVERGING, -60.0)]) == 1
    # rounding does not choose between permutations of the same experts
    assert best_run([proper, ended(status.CONVERGED, 1.0 - 1e-12)]) == 0


def test_threads_change_nothing():
    source = problem()
    X, y = source.X[:, :2], source.y
    options = {"n_init": 4, "random_state": 3, "tol": 1e-4}
    one = emmd.MixtureOfExpertsRegressor(3, **options).fit(X, y)
    two = emmd.MixtureOfExpertsRegressor(3, n_jobs=2, **options).fit(X, y)
    assert one.starts_ == two.starts_
    np.testing.assert_array_equal(one.coef_, two.coef_)
    kept = one.starts_[one.best_start_]
    proper = [start["loglik"] for start in one.starts_ if start["status"] == "converged"]
    assert kept["status"] == "converged"
    assert kept["loglik"] == pytest.approx(max(proper), rel=1e-8)
    assert kept["loglik"] == one.loglik_
