"""The rate seen in a path against the spectral radius of the Jacobian, known or predicted."""

from types import SimpleNamespace

import numpy as np
import pytest

import emmd
from emmd.core.loop.solve import make_algorithm
from emmd.theory.numeric.rates.observed import observed_rate

N_PROBLEMS = 100


def path_result(theta, **more):
    return SimpleNamespace(trace=SimpleNamespace(theta=np.asarray(theta)), **more)


def linear_path(factors, n_steps, seed=0, excitation=None):
    """A path of theta+ = theta* + J (theta - theta*), J symmetric in a metric that is not the identity."""
    rng = np.random.default_rng(seed)
    p = len(factors)
    basis = np.linalg.qr(rng.standard_normal((p, p)))[0] * rng.uniform(0.5, 2.0, p)
    modes = np.ones(p) if excitation is None else np.asarray(excitation)
    powers = np.asarray(factors)[None, :] ** np.arange(n_steps + 1)[:, None]
    return rng.standard_normal(p) + (powers * modes) @ basis


def draw_problem(rng):
    """A problem and a start: signal-to-noise ratios from 0.3 to 8 at any angle."""
    d, n = int(rng.integers(1, 11)), int(np.exp(rng.uniform(np.log(200), np.log(800))))
    model = (emmd.SymMoLinE if rng.random() < 0.75 else emmd.SymMoLogE)(d)
    directions = rng.standard_normal((2, d))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    theta = (directions * np.exp(rng.uniform(np.log(0.3), np.log(8), (2, 1)))).ravel()
    X, y, _ = model.sample(theta, n, int(rng.integers(2**31)))
    start = theta + 0.1 * rng.standard_normal(2 * d) if rng.random() < 0.5 else rng.standard_normal(2 * d)
    return emmd.Problem(model, X, y), start


def draw_algorithm(rng, problem, near):
    """One of the four plain maps, with a step that suits the problem at `near`."""
    method = str(rng.choice(["em", "mirror_descent", "gradient_em", "gradient_descent"]))
    largest = np.linalg.eigvalsh
    if method == "em":
        return make_algorithm(method)
    if method == "mirror_descent":
        return make_algorithm(method, step_size=rng.uniform(0.5, 1.5))
    if method == "gradient_em":
        step = rng.uniform(0.6, 1.3) / largest(problem.complete_hessian(near))[-1]
        return make_algorithm(method, step_size=step, inner_steps=int(rng.integers(1, 16)))
    return make_algorithm(method, step_size=rng.uniform(0.7, 1.8) / largest(problem.hessian(near))[-1])


def draw_run(rng):
    """A converged run and the predicted rate at its polished limit; None when the run does not converge."""
    problem, start = draw_problem(rng)
    first = emmd.minimize(problem, start, max_iter=200)
    if not first.success:
        return None
    algorithm = draw_algorithm(rng, problem, first.x)
    run = emmd.minimize(problem, start, algorithm, max_iter=600, record=True)
    return (run, predicted(run)) if run.success else None


def predicted(run):
    x = run.x
    for _ in range(3):
        x = x - np.linalg.solve(run.problem.hessian(x), run.problem.gradient(x))
    problem = run.problem
    return np.abs(run.algorithm.linear_factors(problem.complete_hessian(x), problem.hessian(x))).max()


def test_error_covers_the_predicted_rate_in_99_of_100_random_problems():
    rng = np.random.default_rng(20260)
    runs: list = []
    while len(runs) < N_PROBLEMS:
        drawn = draw_run(rng)
        runs += [drawn] if drawn is not None else []
    seen = [observed_rate(run) for run, _ in runs]
    covered = [abs(rate.value - truth) <= rate.error for rate, (_, truth) in zip(seen, runs)]
    errors = np.array([rate.error for rate in seen])
    assert sum(covered) >= 99
    assert errors.max() <= 0.05
    assert np.median(errors) < 1e-3
    assert len({run.algorithm.name for run, _ in runs}) == 4


SPECTRA = {
    "scalar": ([0.7], 60),
    "fast": ([0.05, 0.01], 7),
    "well separated": ([0.9, 0.5, 0.1], 200),
    "clusters": ([0.8, 0.79, 0.79, 0.79, 0.3, 0.3, 0.299, 0.1], 100),
    "multiple": ([0.9] * 4 + [0.2] * 4, 200),
    "negative": ([-0.85, 0.6, 0.3, -0.1], 130),
    "equal modulus": ([0.6, -0.6, 0.3, 0.2], 45),
    "nearly equal modulus": ([0.6, -0.598, 0.3, 0.2], 45),
    "slow": ([0.998, 0.99, 0.5], 9000),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_exact_linear_paths(name):
    factors, n_steps = SPECTRA[name]
    for seed in range(3):
        rate = observed_rate(path_result(linear_path(factors, n_steps, seed)))
        assert abs(rate.value - np.abs(factors).max()) <= min(rate.error, 1e-3)
        assert rate.error < (0.05 if n_steps < 10 else 5e-3)


def test_stable_against_rounding_at_the_end():
    rng = np.random.default_rng(3)
    path = linear_path([0.7, 0.5, 0.2], 200)
    rate = observed_rate(path_result(path + 1e-15 * rng.standard_normal(path.shape)))
    assert abs(rate.value - 0.7) <= rate.error < 1e-3


def test_weakly_excited_slow_mode_is_seen():
    path = linear_path([0.8, 0.6, 0.3, 0.1], 60, excitation=[1e-5, 1.0, 1.0, 1.0])
    rate = observed_rate(path_result(path))
    assert abs(rate.value - 0.8) <= rate.error < 1e-2


def test_value_does_not_depend_on_units():
    run = small_run()
    plain = observed_rate(path_result(run.trace.theta))
    assert plain == observed_rate(path_result(run.trace.theta * 2.0**-600))
    assert abs(observed_rate(run).value - plain.value) <= plain.error


def small_run(**options):
    model = emmd.SymMoLinE(2)
    X, y, _ = model.sample(np.array([1.5, 0.5, -0.5, 1.0]), 400, 1)
    return emmd.minimize(emmd.Problem(model, X, y), np.full(4, 0.7), **{"record": True, **options})


def test_it_uses_the_path_only():
    run = small_run()
    scale = run.problem.model.parameter_scale(run.problem.data)
    mute = SimpleNamespace(model=SimpleNamespace(parameter_scale=lambda data: scale), data=None)
    assert observed_rate(SimpleNamespace(trace=run.trace, success=True, problem=mute)) == observed_rate(run)


def test_an_unconverged_path_reaches_to_one():
    for max_iter in (2, 3, 5, 12):
        run = small_run(max_iter=max_iter)
        rate = observed_rate(run)
        assert not run.success
        assert np.isfinite([rate.value, rate.error]).all()
        assert rate.value + rate.error >= 1.0


def test_a_diverging_path_gives_a_finite_answer():
    rate = observed_rate(path_result(linear_path([1.1, 0.9, 0.2], 200), success=False))
    assert rate.value == pytest.approx(1.1)
    assert 0.1 <= rate.error < np.inf


def test_a_sublinear_path_does_not_exclude_one():
    path = 1.0 + np.outer(1.0 / np.sqrt(1.0 + np.arange(5000)), [1.0, 0.3])
    for success in (True, False):
        rate = observed_rate(path_result(path, success=success))
        assert rate.value + rate.error >= 1.0


def test_a_path_without_law_has_a_large_error():
    noise = np.random.default_rng(0).standard_normal((40, 6))
    accelerated = small_run(method="anderson")
    for result in (path_result(noise), path_result([[1.0, 2.0], [3.0, 4.0]] * 40), accelerated):
        rate = observed_rate(result)
        assert np.isfinite(rate.value)
        assert 0.1 <= rate.error < np.inf


def test_a_loose_tolerance_gives_a_larger_error_that_still_covers():
    truth = predicted(small_run())
    rates = [observed_rate(small_run(tol=tol)) for tol in (1e-10, 1e-6, 1e-3)]
    assert all(abs(rate.value - truth) <= rate.error for rate in rates)
    assert rates[0].error < rates[1].error < rates[2].error


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, r"record=True"),
        (SimpleNamespace(), r"record=True"),
        (path_result(None), r"theta must hold real numbers|record=True"),
        (SimpleNamespace(trace=SimpleNamespace(theta=None)), r"record=True"),
        (path_result([[1.0, 2.0]]), "at least 3 distinct iterates, got 1"),
        (path_result([[1.0, 2.0], [3.0, 4.0]]), "at least 3 distinct iterates, got 2"),
        (path_result([[1.0], [2.0], [2.0], [2.0]]), "at least 3 distinct iterates, got 2"),
        (path_result([[1.0], [np.nan], [2.0]]), "must be finite"),
        (path_result([1.0, 2.0, 3.0]), r"must have 2 dimension\(s\)"),
    ],
)
def test_bad_results_raise_one_clear_sentence(result, message):
    with pytest.raises((ValueError, TypeError), match=message):
        observed_rate(result)


def test_unrecorded_run_raises():
    with pytest.raises(ValueError, match=r"result must hold the iterates .*record=True"):
        observed_rate(small_run(record=False))
