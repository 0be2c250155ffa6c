"""EM begins its inner iterations where its path leads: the same path, for fewer looks at the data."""

import numpy as np
import pytest

import emmd
from emmd.algorithms.em import _extrapolated
from emmd.kernels.rows.reduce import PARALLEL_ROWS
from emmd.kernels.solvers.extrapolate import MEMORY

EPS = np.finfo(float).eps


@pytest.mark.parametrize("n", [600, PARALLEL_ROWS])
@pytest.mark.parametrize("model", [emmd.SymMoLinE(3, sigma=0.5), emmd.SymMoLogE(3)], ids=lambda m: m.name)
def test_a_run_is_the_map_iterated_for_fewer_evaluations(model, n):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((n, 3)) * [1e-2, 1.0, 1e2]
    truth = rng.standard_normal(6) / np.tile([1e-2, 1.0, 1e2], 2)
    problem = emmd.Problem(model, X, model.sample_y(truth, X, 2))
    run = emmd.minimize(problem, 0.7 * truth, tol=1e-300, max_iter=25, record=True)
    path, spent = run.trace.theta, np.zeros(2)
    scale = model.parameter_scale(problem.data)
    size = np.abs(scale * path[-1]).max()
    for k in range(3, 25):
        displacements = np.diff(path[max(0, k - MEMORY) : k + 1], axis=0)[::-1].copy()
        start = _extrapolated(problem, path[k], displacements)
        alone, led = (model.em_step(problem.data, path[k], each)[1] for each in (None, start))
        spent += alone.iterations, led.iterations
        np.testing.assert_array_equal(led.theta, path[k + 1])
        # both gradients are 1e-14 at most, and the inner curvature is what divides them
        assert np.abs(scale * (led.theta - alone.theta)).max() <= 2e-14 / alone.curvature + 4 * EPS * size
    # one evaluation belongs to the E-step; three displacements would leave 0.6 of the others
    alone, led = spent - 22
    assert led <= 0.4 * alone
