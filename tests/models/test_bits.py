"""The same bits at any thread count, in any repetition, and from several Python threads at once."""

import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numba
import numpy as np
import pytest

from emmd.core.problem import Problem
from emmd.kernels.compile.threads import limit, native
from emmd.kernels.rows.blocks import CHUNK
from emmd.kernels.rows.reduce import PARALLEL_ROWS
from emmd.partitions.problem import PartitionedProblem
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
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="threads are started by compiled code")
def test_any_number_of_shares(case, shares, monkeypatch):
    one = _with_threads(1, case)
    monkeypatch.setattr("emmd.kernels.rows.reduce.number_of_threads", lambda: shares)
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


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_one_compiled_call_in_turn_and_in_shares_and_sums_from_elsewhere(name, apart, monkeypatch):
    case = random_case(name, 9_000, 3)
    X, y, rng = case.problem.X, case.problem.y, np.random.default_rng(1)
    model, data = case.problem.model, Problem(case.problem.model, X, y).data
    start = case.theta + 0.05 * rng.standard_normal(len(case.theta)) if apart else case.theta
    elsewhere = PartitionedProblem(model, [(X, y)])
    expected = model._em_step_elsewhere(elsewhere.data, case.theta, start)
    # the start is somewhere else, or this compares nothing
    assert apart == (expected[1] != model._em_step_elsewhere(elsewhere.data, case.theta, case.theta)[1]).any()
    for edges in SHARES[:1] if numba.config.DISABLE_JIT else [[0, 3], *SHARES]:
        monkeypatch.setattr("emmd.models.symmetric.model.shares", lambda n_rows, edges=edges: np.array(edges))
        for one, other in zip(model._em_step_here(data, case.theta, start), expected):
            np.testing.assert_array_equal(one, other)
