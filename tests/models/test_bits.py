"""The same bits at any thread count, in any repetition, and from several Python threads at once."""

import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numba
import numpy as np
import pytest

from emmd.kernels.compile.threads import limit, native
from emmd.kernels.rows.reduce import CHUNK, PARALLEL_ROWS, SAMPLED_ROWS, compiled_shares, takes_turns
from emmd.kernels.solvers.extrapolate import NO_PATH
from emmd.kernels.solvers.logistic_remainder import remainders
from emmd.kernels.solvers.remainder import sampled_blocks
from tests.generators.cases import NAMES, random_case

ROWS = 45_001
# of three chunks: one thread has nothing, or much more than another
SHARES = [[0, 1, 3], [0, 0, 3], [0, 3, 3], [0, 1, 2, 3], [0, 0, 1, 1, 3]]
THETA_ONLY = [
    "loss",
    "gradient",
    "hessian",
    "complete_hessian",
    "responsibilities",
    "em_step",
    "mirror_map",
    "mirror_gradient",
]


@pytest.fixture(params=NAMES)
def case(request):
    return random_case(request.param, ROWS, 3)


def _everything(case, theta):
    """Return the bytes of every quantity at theta."""
    problem = case.problem
    values = {name: getattr(problem, name)(theta) for name in THETA_ONLY}
    values["divergence"] = problem.divergence(theta, case.other)
    values["posterior_divergence"] = problem.posterior_divergence(theta, case.other)
    values["e_step"] = problem.model.e_step(problem.data, theta).loss
    return {name: np.asarray(value).tobytes() for name, value in values.items()}


def _with_threads(n_threads, case):
    with limit(n_threads):
        return _everything(case, case.theta)


def test_the_sample_is_shared_among_threads():
    assert ROWS >= PARALLEL_ROWS
    assert ROWS % CHUNK != 0


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="numba was started with one thread")
def test_one_thread_and_two(case):
    assert _with_threads(1, case) == _with_threads(2, case)


@pytest.mark.parametrize("shares", [2, 3, 5, 11, 64])
@pytest.mark.parametrize("compiled", [True, False])
def test_any_number_of_shares(case, shares, compiled, monkeypatch):
    one = _with_threads(1, case)
    monkeypatch.setattr("emmd.kernels.rows.reduce.number_of_threads", lambda: shares)
    monkeypatch.setattr("emmd.kernels.rows.reduce.native", lambda: compiled)
    assert _everything(case, case.theta) == one


def test_repeated_calls(case):
    assert _everything(case, case.theta) == _everything(case, case.theta)


def test_calls_from_several_python_threads(case):
    thetas = [case.theta * scale for scale in (0.2, 0.5, 1.0, 1.5)] * 2
    alone = [_everything(case, theta) for theta in thetas]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda theta: _everything(case, theta), thetas))
    assert together == alone


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_computes_the_same(case):
    # OpenMP ends a forked process that uses its threads
    alone = _everything(case, case.theta)
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        assert not pool.submit(native).result(60)
        assert pool.submit(_everything, case, case.theta).result(60) == alone


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_one_compiled_call_in_turn_and_in_shares_and_passes(name, moved, monkeypatch):
    case = random_case(name, 9_000, 3)
    model, data = case.problem.model, case.problem.data
    past = 0.05 * np.random.default_rng(1).standard_normal((3, len(case.theta))) if moved else NO_PATH
    found = [model.em_step_at_once(data, case.theta, past, np.array([0, 3]))]
    if not numba.config.DISABLE_JIT:
        found += [model.em_step_at_once(data, case.theta, past, np.array(edges)) for edges in SHARES]
    monkeypatch.setattr("emmd.fits.logistic.compiled_shares", lambda n_rows: None)
    found.append(model.em_step_in_passes(data, case.theta, past))
    alone = model.em_step_in_passes(data, case.theta, NO_PATH)
    # the path leads somewhere else, or this compares nothing
    assert moved == (found[0][1] != alone[1]).any()
    for each in found[1:]:
        for one, other in zip(found[0], each):
            np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="threads are started by compiled code")
@pytest.mark.parametrize("name", ["symmoline", "symmologe"])
def test_samples_of_the_rows_tell_the_same_in_turn_and_in_shares_and_in_passes(name, monkeypatch):
    case = random_case(name, 100_001, 3)
    model, data = case.problem.model, case.problem.data
    found = [
        model.em_step_at_once(data, case.theta, NO_PATH, np.array(edges))
        for edges in ([0, 25], [0, 7, 25], [0, 0, 3, 25])
    ]
    looks = []

    def counted(*arguments):
        looks.append(arguments)
        return remainders(*arguments)

    monkeypatch.setattr("emmd.fits.logistic.compiled_shares", lambda n_rows: None)
    monkeypatch.setattr("emmd.fits.logistic.remainders", counted)
    found.append(model.em_step_in_passes(data, case.theta, NO_PATH))
    assert looks
    for each in found[1:]:
        for one, other in zip(found[0], each):
            np.testing.assert_array_equal(one, other)


def test_large_data_and_no_native_threads_take_passes(monkeypatch):
    """The kernels for one thread know of no sample: they are for data that take none."""
    assert not takes_turns([0, 25], SAMPLED_ROWS)
    assert takes_turns([0, 24], SAMPLED_ROWS - 1)
    assert sampled_blocks(SAMPLED_ROWS) > sampled_blocks(SAMPLED_ROWS - 1) == 0
    monkeypatch.setattr("emmd.kernels.rows.reduce.native", lambda: False)
    with limit(1):
        assert compiled_shares(SAMPLED_ROWS) is None
        assert len(compiled_shares(SAMPLED_ROWS - 1)) == 2
    monkeypatch.setattr("emmd.kernels.rows.reduce.native", lambda: True)
    with limit(1):
        assert len(compiled_shares(SAMPLED_ROWS)) == 2
