"""Arrays of labels that EM steps on many rows leave to later ones."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import emmd
from emmd.kernels.rows.reduce import PARALLEL_ROWS


@pytest.mark.parametrize("model", [emmd.SymMoLinE(2), emmd.SymMoLogE(2)], ids=lambda model: model.name)
def test_arrays_of_labels_take_turns_and_are_nobody_else_s(model):
    """Steps reuse the arrays that earlier ones have left; threads at the same data must not share one."""
    rng = np.random.default_rng(5)
    X, thetas = rng.standard_normal((PARALLEL_ROWS, 2)), rng.standard_normal((8, 4))
    problem = emmd.Problem(model, X, model.sample_y(np.array([1.0, 0.5, -0.5, 1.0]), X, 5))
    expected = np.array([problem.em_step(theta) for theta in thetas])
    p = problem.responsibilities(thetas[0])
    kept = p.copy()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(problem.em_step, np.tile(thetas, (5, 1))))
    np.testing.assert_array_equal(found, np.tile(expected, (5, 1)))
    np.testing.assert_array_equal(p, kept)
    assert 1 <= len(problem.data.design.workspace) <= 4
    copy = pickle.loads(pickle.dumps(problem))
    assert len(copy.data.design.workspace) == 0
    np.testing.assert_array_equal(copy.em_step(thetas[0]), expected[0])
