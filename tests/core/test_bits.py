"""The same bits at any thread count, in any repetition, and from several Python threads at once."""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from emmd.kernels.reduce import CHUNK, PARALLEL_ROWS
from tests.cases import NAMES, random_case

ROWS = 45_001
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
    before = numba.get_num_threads()
    numba.set_num_threads(n_threads)
    try:
        return _everything(case, case.theta)
    finally:
        numba.set_num_threads(before)


def test_the_sample_is_shared_among_threads():
    assert ROWS >= PARALLEL_ROWS
    assert ROWS % CHUNK != 0


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="numba was started with one thread")
def test_one_thread_and_two(case):
    assert _with_threads(1, case) == _with_threads(2, case)


@pytest.mark.parametrize("shares", [2, 3, 5, 11, 64])
def test_any_number_of_shares(case, shares, monkeypatch):
    one = _with_threads(1, case)
    monkeypatch.setattr(numba, "get_num_threads", lambda: shares)
    assert _everything(case, case.theta) == one


def test_repeated_calls(case):
    assert _everything(case, case.theta) == _everything(case, case.theta)


def test_calls_from_several_python_threads(case):
    thetas = [case.theta * scale for scale in (0.2, 0.5, 1.0, 1.5)] * 2
    alone = [_everything(case, theta) for theta in thetas]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda theta: _everything(case, theta), thetas))
    assert together == alone


@pytest.mark.parametrize("name", NAMES)
def test_one_compiled_call_and_shared_passes(name, monkeypatch):
    case = random_case(name, 9_000, 3)
    model, data = case.problem.model, case.problem.data
    working = model.unit * case.theta
    at_once = model.em_step_at_once(data, working)
    monkeypatch.setattr("emmd.core.potentials.PARALLEL_ROWS", 1)
    in_shares = model.em_step_in_shares(data, working)
    for one, other in zip(at_once, in_shares):
        np.testing.assert_array_equal(one, other)
