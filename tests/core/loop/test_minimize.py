"""Every method reaches the same optimum, and every run says truly how it ended."""

import inspect
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import emmd
from emmd import Status
from emmd.core.loop.solve import make_algorithm
from tests.generators.cases import NAMES, both, model, random_case

TRUTHS = {"symmoline": [2.0, 0.0, 0.0, 1.0], "symmologe": [6.0, -1.0, 1.0, 5.0]}
# gradient steps near the inverse of the largest curvature, about 1 and 1/4
STEPS = {"symmoline": 1.0, "symmologe": 4.0}
METHODS = {
    "em": {},
    "mirror_descent": {},
    "mirror_descent 1.2": {"step_size": 1.2},
    "gradient_em": {"step_size": "model", "inner_steps": 3},
    "gradient_descent": {"step_size": "model"},
    "gradient_descent backtracking": {"step_size": "backtracking"},
    "squarem": {},
    "anderson": {},
    "over_relaxation": {},
    "over_relaxation 1.2": {"relaxation": 1.2},
    "generalized_em": {},
}
MONOTONE = [
    "em",
    "mirror_descent",
    "gradient_descent backtracking",
    "squarem",
    "anderson",
    "over_relaxation",
    "generalized_em",
]
HAVE_MEMORY = {"em", "squarem", "anderson", "over_relaxation", "gradient_descent backtracking"}
EPS = np.finfo(float).eps


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@cache
def good_case(name):
    """Return a problem with a strict optimum, which is known from the oracle's Newton method."""
    truth = np.array(TRUTHS[name])
    X, y, _ = model(name, 2).sample(truth, 1500, 3)
    problem, naive = both(name, X, y)
    optimum = naive.optimum(naive.em_step(naive.em_step(truth)))
    curvatures = np.linalg.eigvalsh(naive.hessian(optimum))
    assert np.abs(naive.gradient(optimum)).max() < 1e-14
    assert curvatures[0] > 1e-3
    return SimpleNamespace(problem=problem, naive=naive, truth=truth, optimum=optimum)


def run(case, label, start, **more):
    """Run the method called `label`, with this model's gradient step where there is one."""
    method, options = label.split()[0], dict(METHODS[label])
    if options.get("step_size") == "model":
        options["step_size"] = STEPS[case.problem.model.name]
    return emmd.minimize(case.problem, start, method=method, **options, **more)


def assert_all_finite(result):
    trace = result.trace
    numbers = [result.x, result.fun, result.jac, trace.loss, trace.displacement, trace.evaluations]
    assert all(np.isfinite(number).all() for number in numbers), result


# --- where runs end ---------------------------------------------------------------------------------


@pytest.mark.parametrize("label", METHODS)
def test_every_method_reaches_the_optimum(name, label):
    case = good_case(name)
    result = run(case, label, case.optimum + 0.05 * np.array([1.0, -1.0, 1.0, 1.0]))
    assert result.status == Status.CONVERGED
    assert result.success
    assert_all_finite(result)
    # the EM displacement H_A^-1 grad L is at most tol (1 + |predictors|) < 1e-9, and H_A is about 1 at most;
    # curvatures above 1e-3 make of it 1e-6 in theta and 1e-15 in the loss
    assert np.abs(case.naive.gradient(result.x)).max() < 2e-9
    np.testing.assert_allclose(result.x, case.optimum, rtol=0, atol=2e-6)
    assert result.fun == pytest.approx(case.naive.loss(case.optimum), rel=0, abs=1e-14)
    np.testing.assert_allclose(result.jac, case.naive.gradient(result.x), rtol=0, atol=1e-14)


def test_a_looser_tolerance_stops_earlier_and_keeps_its_promise(name):
    case = good_case(name)
    runs = [emmd.minimize(case.problem, case.truth, tol=tol) for tol in (1e-4, 1e-7, 1e-10)]
    assert runs[0].nit < runs[1].nit < runs[2].nit
    for result, tol in zip(runs, (1e-4, 1e-7, 1e-10)):
        assert result.trace.displacement[-1] <= tol
        assert (result.trace.displacement[:-1] > tol).all()


def test_iteration_limit(name):
    case = good_case(name)
    result = emmd.minimize(case.problem, case.truth, max_iter=3)
    assert (result.status, result.success) == (Status.ITERATION_LIMIT, False)
    assert (result.nit, result.nfev) == (3, 3)
    assert result.fun == pytest.approx(case.naive.loss(result.x), rel=1e-14)
    np.testing.assert_allclose(result.jac, case.naive.gradient(result.x), rtol=0, atol=1e-14)
    assert "max_iter" in result.message


def test_the_last_iterate_counts_when_the_limit_is_just_enough(name):
    case = good_case(name)
    free = emmd.minimize(case.problem, case.truth)
    limited = emmd.minimize(case.problem, case.truth, max_iter=free.nit)
    assert limited.status == Status.CONVERGED
    np.testing.assert_array_equal(limited.x, free.x)


def _separable(name, sigma):
    """Return a problem whose loss has no minimiser: a predictor settles every row.

    A symmologe without intercept gives x and -x the same law of y, so y = sign(x1) is separable only with
    a column of ones: then b -> infinity chooses one expert, and a -> infinity settles the label.
    """
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.standard_normal((300, 2)), np.ones(300)])
    side = np.sign(X[:, 0])
    y = side if name == "symmologe" else side * (X @ [2.0, 1.0, 0.5]) + sigma * rng.standard_normal(300)
    return both(name, X, y, sigma=sigma)[0]


@pytest.mark.parametrize("method", ["em", "squarem", "anderson", "over_relaxation", "mirror_descent"])
@pytest.mark.parametrize("sigma", [0.01, 0.1, 0.3])
def test_separable_data_diverge(name, method, sigma):
    result = emmd.minimize(_separable(name, sigma), [2.0, 1.0, 0.5, 0.3, 0.2, 0.1], method=method)
    # the inverse mirror step may see first that its dual has reached the border of the range
    honest = {Status.DIVERGING} | ({Status.INNER_FAILED} if method == "mirror_descent" else set())
    assert result.status in honest
    assert "separable" in result.message
    assert_all_finite(result)


def test_the_same_signs_without_intercept_have_an_optimum():
    problem = _separable("symmologe", 1.0)
    X, y = problem.X[:, :2], problem.data.y
    result = emmd.minimize(emmd.Problem(model("symmologe", 2), X, y), [0.5, 0.1, 0.3, 0.2], method="squarem")
    assert result.status == Status.CONVERGED


# the gradients of symmologe are bounded: after a moderate step the loss goes up and down for ever
HUGE = {"symmoline": [10.0, 1e3, 1e30, 1e100, 1e200, 1e300], "symmologe": [1e30, 1e100, 1e200, 1e300]}


@pytest.mark.parametrize(("name", "step_size"), [(name, step) for name in NAMES for step in HUGE[name]])
@pytest.mark.parametrize("method", ["gradient_descent", "gradient_em"])
def test_a_huge_gradient_step_lets_the_loss_increase(name, method, step_size):
    case = good_case(name)
    result = emmd.minimize(case.problem, case.truth, method=method, step_size=step_size)
    assert result.status == Status.LOSS_INCREASED
    assert "step_size" in result.message
    assert_all_finite(result)


@pytest.mark.parametrize("step_size", [1e2, 1e4, 1e8])
def test_a_dual_step_out_of_the_mirror_maps_range_is_an_inner_failure(name, step_size):
    # the data have an optimum, so "the data are separable" would be false
    case = good_case(name)
    result = emmd.minimize(case.problem, case.truth, method="mirror_descent", step_size=step_size)
    assert result.status == Status.INNER_FAILED
    assert "step_size" in result.message
    assert_all_finite(result)


def test_a_singular_design_has_its_own_status(name):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((50, 1)) @ np.ones((1, 2))
    result = emmd.minimize(both(name, X, np.sign(X[:, 0]))[0], np.ones(4))
    assert result.status == Status.SINGULAR_DESIGN
    assert "columns of X" in result.message
    assert_all_finite(result)


def test_a_large_start_does_not_stop_em():
    """From a start whose gate and experts are all but certain, EM still finds an optimum."""
    case = good_case("symmoline")
    result = emmd.minimize(case.problem, 1e4 * case.truth)
    assert result.status == Status.CONVERGED
    assert case.problem.distance(result.x, case.optimum) < 1e-6


def test_every_status_has_a_message():
    assert all(status.message.endswith(".") for status in Status)
    assert [status for status in Status if status.success] == [Status.CONVERGED]


# --- the loss along the path --------------------------------------------------------------------------


@pytest.mark.parametrize("label", MONOTONE)
@pytest.mark.parametrize("seed", range(4))
def test_the_loss_never_increases(name, label, seed):
    case = random_case(name, 500, 3, seed=seed)
    result = run(case, label, 3.0 * case.other, max_iter=60)
    loss = result.trace.loss
    assert result.status in {Status.CONVERGED, Status.ITERATION_LIMIT}
    assert loss[-1] < loss[0] - 0.01
    # two sums of 500 rows; the safeguards of the last three compare losses up to 64 units of rounding
    assert np.diff(loss).max() <= 66 * EPS * (1.0 + np.abs(loss).max())


@pytest.mark.parametrize("method", ["squarem", "anderson"])
def test_acceleration_takes_fewer_evaluations_on_a_slow_problem(name, method):
    truth = {"symmoline": [0.3, 0.3, 0.0, 0.3], "symmologe": [2.0, 1.0, -1.0, 1.0]}[name]
    X, y, _ = model(name, 2).sample(np.array(truth), 2000, 6)
    problem, _ = both(name, X, y)
    em, fast = (emmd.minimize(problem, truth, method=kind) for kind in ("em", method))
    assert em.status == fast.status == Status.CONVERGED
    assert em.nfev == em.nit > 100
    assert fast.nfev < em.nfev / 4
    assert fast.fun == pytest.approx(em.fun, rel=0, abs=1e-14)


# --- the trace ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", METHODS)
def test_the_trace_is_the_path(name, label):
    case = good_case(name)
    result = run(case, label, case.truth, max_iter=7, record=True)
    trace, length = result.trace, result.nit + 1
    assert trace.theta.shape == (length, 4)
    columns = (trace.loss, trace.displacement, trace.evaluations, trace.seconds)
    assert [column.shape for column in columns] == [(length,)] * 4
    np.testing.assert_array_equal(trace.theta[0], case.truth)
    np.testing.assert_array_equal(trace.theta[-1], result.x)
    expected = [case.naive.loss(theta) for theta in trace.theta]
    np.testing.assert_allclose(trace.loss, expected, rtol=1e-14)
    assert result.fun == trace.loss[-1]
    assert (np.diff(trace.seconds) >= 0).all()
    assert trace.evaluations[0] == 0
    assert (np.diff(trace.evaluations) >= 1).all()
    assert trace.evaluations[-1] == result.nfev
    assert_all_finite(result)


@pytest.mark.parametrize("label", [label for label in METHODS if label not in HAVE_MEMORY])
def test_a_step_of_the_trace_is_a_step_of_the_method(name, label):
    """Methods without memory: a fresh run from a recorded point goes to the next one."""
    case = good_case(name)
    path = run(case, label, case.truth, max_iter=4, record=True).trace.theta
    for before, after in pairwise(path):
        np.testing.assert_array_equal(run(case, label, before, max_iter=1).x, after)


def test_an_em_path_is_repeated_em_steps_and_its_displacements(name):
    case = good_case(name)
    trace = emmd.minimize(case.problem, case.truth, max_iter=6, record=True).trace
    for before, after, size in zip(trace.theta, trace.theta[1:], trace.displacement):
        # a run's M-step begins where its path leads: two minimisers, each with a scaled gradient of 1e-14
        step = case.problem.model.em_step(case.problem.data, before)[1]
        scale = case.problem.model.parameter_scale(case.problem.data)
        budget = 2e-14 / step.curvature + 4 * EPS * np.abs(scale * after).max()
        assert np.abs(scale * (step.theta - after)).max() <= budget
        root_mean_square = [
            np.sqrt(np.mean(np.square([case.naive.predictors(theta) for theta in pair]), axis=(0, 2)))
            for pair in ([after - before], [before])
        ]
        assert size == pytest.approx(np.max(root_mean_square[0] / (1.0 + root_mean_square[1])), rel=1e-9)


def test_evaluations_of_a_squarem_cycle(name):
    case = good_case(name)
    result = emmd.minimize(case.problem, case.truth, method="squarem", max_iter=3)
    assert result.nfev == 3 * result.nit
    np.testing.assert_array_equal(result.trace.evaluations, 3 * np.arange(result.nit + 1))


def test_iterates_are_kept_only_when_asked_for(name):
    case = good_case(name)
    assert emmd.minimize(case.problem, case.truth, max_iter=2).trace.theta is None


def test_the_callback_sees_every_iterate(name):
    case = good_case(name)
    seen = []
    result = emmd.minimize(
        case.problem, case.truth, max_iter=5, record=True, callback=lambda *call: seen.append(call)
    )
    assert [iteration for iteration, _, _ in seen] == list(range(5))
    np.testing.assert_array_equal([theta for _, theta, _ in seen], result.trace.theta[:5])
    np.testing.assert_array_equal([loss for _, _, loss in seen], result.trace.loss[:5])


def test_the_loop_silences_its_own_steps_and_not_the_callback(name):
    case = good_case(name)

    def overflow(iteration, theta, loss):
        np.float64(1e308) * np.float64(10.0)

    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        emmd.minimize(case.problem, case.truth, max_iter=1, callback=overflow)


def test_the_start_is_left_alone(name):
    case = good_case(name)
    start = case.truth.copy()
    result = emmd.minimize(case.problem, start, max_iter=1)
    np.testing.assert_array_equal(start, case.truth)
    assert not np.shares_memory(result.x, start)


# --- methods that are one another -----------------------------------------------------------------------


def _path(case, method, **options):
    return emmd.minimize(case.problem, case.truth, method=method, record=True, **options).trace.theta


def test_gradient_em_with_one_inner_step_is_gradient_descent(name):
    case = good_case(name)
    options = {"step_size": 0.5 * STEPS[name], "max_iter": 40}
    one = _path(case, "gradient_em", inner_steps=1, **options)
    two = _path(case, "gradient_em", inner_steps=2, **options)
    descent = _path(case, "gradient_descent", **options)
    # 40 steps, each with the rounding of a sum of terms of size 10 at most
    np.testing.assert_allclose(one, descent, rtol=0, atol=40 * 40 * EPS)
    assert np.abs(two - descent).max() > 1e-3


def test_mirror_descent_with_unit_step_is_em(name):
    case = good_case(name)
    em, unit, longer = (
        _path(case, method, max_iter=12, **options)
        for method, options in [
            ("em", {}),
            ("mirror_descent", {"step_size": 1.0}),
            ("mirror_descent", {"step_size": 1.1}),
        ]
    )
    # an inner residual of 1e-13 over complete curvatures above 1e-2, contracted by later steps
    np.testing.assert_allclose(unit, em, rtol=0, atol=1e-11 / (1 - 0.7))
    assert np.abs(longer - em).max() > 1e-3


def test_the_stopping_rule_does_not_depend_on_the_mirror_step(name):
    # near the optimum a mirror step of length eta moves eta times the EM step, up to second order
    case = good_case(name)
    near = case.optimum + 1e-3 * np.array([1.0, -1.0, 1.0, 1.0])
    em = emmd.minimize(case.problem, near, max_iter=1).trace.displacement[0]
    for step_size in (0.1, 1.0, 1.5):
        mirror = emmd.minimize(case.problem, near, method="mirror_descent", step_size=step_size, max_iter=1)
        assert mirror.trace.displacement[0] == pytest.approx(em, rel=1e-2)


def test_many_inner_steps_are_em(name):
    case = good_case(name)
    near = _path(case, "gradient_em", step_size=STEPS[name], inner_steps=5000, max_iter=2)
    np.testing.assert_allclose(near, _path(case, "em", max_iter=2), rtol=0, atol=1e-9)


@pytest.mark.parametrize("wrapper", ["squarem", "anderson", "over_relaxation"])
def test_wrappers_take_any_map(name, wrapper):
    case = good_case(name)
    mirror = make_algorithm("mirror_descent", step_size=1.0)
    wrapped = make_algorithm(wrapper, base=mirror)
    result = emmd.minimize(case.problem, case.truth, method=wrapped)
    assert result.status == Status.CONVERGED
    assert result.algorithm is wrapped
    np.testing.assert_allclose(result.x, case.optimum, rtol=0, atol=2e-6)


@pytest.mark.parametrize("label", METHODS)
def test_the_same_seed_gives_the_same_bits(name, label):
    runs = []
    for _ in range(2):
        X, y, _ = model(name, 2).sample(np.array(TRUTHS[name]), 400, 17)
        case = SimpleNamespace(problem=both(name, X, y)[0])
        runs.append(run(case, label, TRUTHS[name], max_iter=15))
    assert runs[0].x.tobytes() == runs[1].x.tobytes()
    assert runs[0].trace.loss.tobytes() == runs[1].trace.loss.tobytes()


def test_running_a_method_does_not_hide_a_public_name():
    emmd.minimize(good_case("symmoline").problem, TRUTHS["symmoline"], max_iter=1)
    hidden = [public for public in emmd.__all__ if inspect.ismodule(getattr(emmd, public))]
    assert hidden == []


def test_a_path_that_stands_is_measured_once_and_not_at_every_iteration(monkeypatch):
    """At theta = 0 EM of symmetric experts stands; where that is not accurate enough, it will never be."""
    model = emmd.SymMoLinE(3)
    X, y, _ = model.sample(np.ones(6), 300, 0)
    measured = []

    def measure(*arguments):
        measured.append(arguments)
        return 1e-10

    monkeypatch.setattr("emmd.core.loop.solve.em_displacement", measure)
    run = emmd.minimize(emmd.Problem(model, X, y), np.zeros(6), tol=1e-300, max_iter=20)
    assert (run.trace.displacement[:-1] == 0.0).all()
    assert (run.nit, run.success) == (20, False)
    # once on the way, and once at the end
    assert len(measured) == 2
