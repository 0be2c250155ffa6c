"""Starts: reproducible, the same for weights and repeated rows; the highest bounded likelihood is kept."""

import warnings

import numpy as np
import pytest
from scipy.optimize import OptimizeResult
from scipy.stats import poisson
from sklearn.exceptions import ConvergenceWarning

import emmd
from emmd.estimators.starts.draw import (
    _NEIGHBOURS,
    KINDS,
    _rows,
    _through_a_few_rows,
    draw_starts,
    pooled_fit,
    redrawn,
)
from emmd.estimators.starts.run import best_run
from tests.generators import fitting


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


def test_the_lowest_bounded_loss_is_kept_whatever_the_status():
    status = emmd.Status
    collapsed, proper = ended(status.VARIANCE_COLLAPSE, -50.0), ended(status.CONVERGED, 1.0)
    unfinished, better = ended(status.ITERATION_LIMIT, 0.5), ended(status.CONVERGED, 0.9)
    assert best_run([collapsed, proper]) == 1
    assert best_run([collapsed, unfinished]) == 1
    assert best_run([proper, collapsed, unfinished, better]) == 2
    assert best_run([collapsed, ended(status.DIVERGING, -40.0)]) == 1
    assert best_run([collapsed, ended(status.VARIANCE_COLLAPSE, -60.0)]) == 1
    # rounding does not choose between permutations of the same experts
    assert best_run([proper, ended(status.CONVERGED, 1.0 - 1e-12)]) == 0
    assert best_run([ended(status.LOSS_INCREASED, 1.0 - 1e-12), proper]) == 1


def test_the_best_converged_run_is_kept_when_asked_for():
    status = emmd.Status
    collapsed, proper = ended(status.VARIANCE_COLLAPSE, -50.0), ended(status.CONVERGED, 1.0)
    unfinished, better = ended(status.ITERATION_LIMIT, 0.5), ended(status.CONVERGED, 0.9)
    assert best_run([unfinished, collapsed, proper, better], "converged") == 3
    assert best_run([collapsed, unfinished], "converged") == 1


def step_gate():
    """Return data whose likelihood rises to its supremum as a gate becomes a step."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal(60)
    return x[:, None], np.where(x < 0, -2.0 * x, 3.0 * x + 2.0) + 0.6 * rng.standard_normal(60)


def test_a_step_gate_is_kept_and_the_message_names_what_converged():
    X, y = step_gate()
    options = {"n_init": 6, "variance": "shared", "random_state": 0}
    with pytest.warns(ConvergenceWarning, match="keep='converged' keeps it"):
        best = emmd.MixtureOfExpertsRegressor(**options).fit(X, y)
    assert best.status_ is emmd.Status.DIVERGING
    assert best.loglik_ == pytest.approx(max(start["loglik"] for start in best.starts_), rel=1e-8)
    converged = emmd.MixtureOfExpertsRegressor(keep="converged", **options).fit(X, y)
    assert converged.converged_
    assert converged.loglik_ < best.loglik_ - 0.5
    for fit in (best, converged):
        assert f"{fit.loglik_:.6f}" in best.message_
    with pytest.raises(ValueError, match="keep must be one of best, converged, got 'first'"):
        emmd.MixtureOfExpertsRegressor(keep="first").fit(X, y)


def test_sharp_likelihoods_do_not_hold_a_run_where_it_starts():
    """Two arms of a V, counts up to 1e5: from hard responsibilities EM ended 1e5 below, and converged."""
    rng = np.random.default_rng(5)
    x = rng.uniform(5.0, 10.0, 200) * rng.choice([-1.0, 1.0], 200)
    y = rng.poisson(np.exp(np.abs(x))).astype(float)
    truth = poisson.logpmf(y, np.exp(np.abs(x))).sum()
    options = {"n_init": 3, "random_state": 0}
    with pytest.warns(ConvergenceWarning, match="separable"):
        fit = emmd.MixtureOfExpertsRegressor(family="poisson", **options).fit(x[:, None], y)
    assert min(start["loglik"] for start in fit.starts_) > truth


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


def test_newtons_method_takes_a_slow_run_on_and_the_trace_goes_on():
    source, seen = fitting.draw(31), []
    options = {"n_init": 1, "random_state": 1, "tol": 1e-8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        watched = source.estimator(callback=lambda *what: seen.append(what), **options)
        fit = watched.fit(source.Z[:, :-1], source.y)
        cut = source.estimator(max_iter=50, **options).fit(source.Z[:, :-1], source.y)
    assert cut.status_ is emmd.Status.ITERATION_LIMIT
    assert fit.loglik_ > cut.loglik_ + 0.1
    # EM alone would need thousands
    assert fit.n_iter_ == len(fit.trace_) < 300
    assert [iteration for _, iteration, _ in seen] == list(range(fit.n_iter_))
    np.testing.assert_array_equal([loglik for _, _, loglik in seen], fit.trace_)
    assert (np.diff(fit.trace_) >= -1e-9 * abs(fit.loglik_)).all()
    np.testing.assert_array_equal(fit.trace_[:50], cut.trace_[:50])


def test_the_best_run_goes_on_to_a_better_optimum_near_it():
    """Six starts end at one optimum, thirteen below what is reached from the truth."""
    source = fitting.draw(380)
    best = fitting.best_from_truth(source)
    fit = source.estimator(random_state=0, method="squarem").fit(source.X, source.y)
    others = [start["loglik"] for k, start in enumerate(fit.starts_) if k != fit.best_start_]
    assert max(others) < best - 10.0
    assert fit.loglik_ == fit.starts_[fit.best_start_]["loglik"] == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_neighbour_leaves_the_experts_that_it_does_not_draw(seed):
    source = problem()
    theta = emmd.minimize(source, draw_starts(source, 1, 0)[0].theta, max_iter=50).x
    near = redrawn(source, theta, np.random.default_rng(seed))
    one, other = (source.model.unpack(point)["coef"] for point in (theta, near))
    moved = np.linalg.norm((one - other).reshape(3, -1), axis=1)
    assert moved.max() > 0.1
    assert moved.min() < 0.5 * moved.max()
    np.testing.assert_array_equal(near, redrawn(source, theta, np.random.default_rng(seed)))


def test_a_neighbour_through_a_few_rows_finds_a_narrow_line():
    """A third of the rows on a line, the others about another one, as wide as the first is long."""
    rng = np.random.default_rng(3)
    x, narrow = rng.uniform(1.4, 3.0, 120), np.arange(120) < 40
    y = np.where(narrow, x + 0.004 * rng.standard_normal(120), 2.0 + 0.4 * rng.standard_normal(120))
    source = emmd.Problem(emmd.MixtureOfExperts(2, 2), np.column_stack([x, np.ones(120)]), y)
    theta = source.model.pack([[0.0, 2.0], [0.1, 1.9]], [[0.0, 0.0]], np.log([0.2, 0.1]))
    found = dict.fromkeys(_NEIGHBOURS, 0)
    for draw in found:
        for seed in range(30):
            rng, pooled = np.random.default_rng(seed), pooled_fit(source)
            expert = draw(source, theta, 0, _rows(source, pooled), pooled, rng)[:, 0]
            found[draw] += expert[narrow].mean() > expert[~narrow].mean() + 0.4
    others = [count for draw, count in found.items() if draw is not _through_a_few_rows]
    assert found[_through_a_few_rows] >= 3
    assert max(others) == 0
