"""The EM map of Gaussian experts in one compiled call, by threads in turn and in shares, and in passes."""

import numba
import numpy as np
import pytest

import emmd
from emmd.algorithms.em import _extrapolated
from emmd.core.protocols.steps import MStep
from emmd.kernels.rows.reduce import PARALLEL_ROWS
from emmd.kernels.solvers.extrapolate import MEMORY

VARIANCES = ["free", "shared", 0.5]
# of three chunks: one thread has nothing, or much more than another
SHARES = [[0, 3], [0, 1, 3], [0, 0, 3], [0, 1, 2, 3]]


def _problem(n, K, gate="softmax", **options):
    rng = np.random.default_rng([n, K])
    model = emmd.MixtureOfExperts(3, K, gate=gate, **options)
    theta = rng.standard_normal(model.n_params)
    X = np.column_stack([rng.standard_normal((n, 2)) * [3.0, 0.1], np.ones(n)])
    y = model.sample_y(theta, X, [n, K])
    return emmd.Problem(model, X, y, rng.uniform(0.5, 1.0, n)), theta + 0.2 * rng.standard_normal(len(theta))


def _same(one, other):
    assert one[0] == other[0]
    for field in MStep.__slots__:
        np.testing.assert_array_equal(getattr(one[1], field), getattr(other[1], field))


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("gate", ["softmax", "constant"])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("apart", [False, True])
def test_one_call_in_turn_and_in_shares_and_in_passes(K, gate, apart, variance, monkeypatch):
    """Bit by bit: the chunks' sums are the same, whoever adds them up."""
    problem, theta = _problem(9_000, K, gate, variance=variance)
    model, data = problem.model, problem.data
    for _ in range(20):
        # along the path, where one pass determines the experts' M-steps
        theta = problem.em_step(theta)
    start = theta + 0.05 * np.random.default_rng(1).standard_normal(len(theta)) if apart else theta
    elsewhere = emmd.PartitionedProblem(model, [(problem.X, problem.y, problem.weights)])
    # weights are normalised twice
    data = emmd.Problem(model, problem.X, problem.y, problem.weights).data
    in_passes = model.em_step(elsewhere.data, theta, start)
    assert in_passes[1].solved
    assert np.isfinite(model.fused.em_step(data, theta, start, -np.inf)[2])
    alone = model.em_step(data, theta, start)
    assert alone[0] == in_passes[0]
    # the gate of two experts is fitted by a kernel of its own where the rows are here
    np.testing.assert_allclose(alone[1].theta, in_passes[1].theta, rtol=1e-13, atol=1e-14)
    for edges in SHARES[:1] if numba.config.DISABLE_JIT else SHARES:
        for where in ("models.mixture.fused.gaussian", "fits.logistic", "fits.multinomial"):
            monkeypatch.setattr(f"emmd.{where}.shares", lambda n_rows, edges=edges: np.array(edges))
        _same(model.em_step(data, theta, start), alone)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("gate", ["softmax", "constant"])
@pytest.mark.parametrize("K", [2, 3])
def test_one_call_is_e_step_and_general_m_step(K, gate, variance):
    """Every part of theta is in its place: the M-step for responsibilities knows nothing of kernels."""
    problem, theta = _problem(900, K, gate, variance=variance)
    model, data = problem.model, problem.data
    (loss, *_), image, residual, curvature, _ = model.fused.em_step(data, theta, theta, -np.inf)
    expected = problem.m_step(problem.responsibilities(theta), theta)
    scale, eps = model.parameter_scale(data), np.finfo(float).eps
    size = 1.0 + np.abs(scale * expected.theta).max()
    assert residual <= 1e-13
    assert loss == pytest.approx(problem.loss(theta), rel=900 * eps)
    # sums of 900 terms on both sides, and the inner curvature divides what they are off
    budget = (900 * eps + 2e-14) * size / min(curvature, 1.0)
    assert np.abs(scale * (image - expected.theta)).max() <= budget


def test_what_a_step_leaves_is_nobody_else_s():
    """Responsibilities handed out are not those that later steps write to."""
    problem, theta = _problem(500, 3)
    r = problem.responsibilities(theta)
    kept, image = r.copy(), problem.em_step(theta)
    assert len(problem.data.designs["expert"].workspace) == 1
    problem.em_step(2.0 * theta)
    np.testing.assert_array_equal(r, kept)
    np.testing.assert_array_equal(problem.em_step(theta), image)
    assert len(problem.data.designs["expert"].workspace) == 1


@pytest.mark.parametrize("n", [700, PARALLEL_ROWS])
@pytest.mark.parametrize("K", [2, 3])
def test_a_run_is_the_map_iterated_for_fewer_evaluations(K, n):
    """The gate's M-step begins where the path leads, and ends where it ends without."""
    problem, theta = _problem(n, K)
    model, data = problem.model, problem.data
    path = emmd.minimize(problem, theta, tol=1e-300, max_iter=25, record=True).trace.theta
    scale, eps = model.parameter_scale(data), np.finfo(float).eps
    spent = np.zeros(2)
    for k in range(3, 25):
        past = np.diff(path[max(0, k - MEMORY) : k + 1], axis=0)[::-1].copy()
        alone, led = (
            model.em_step(data, path[k], each)[1] for each in (None, _extrapolated(problem, path[k], past))
        )
        spent += alone.iterations, led.iterations
        np.testing.assert_array_equal(led.theta, path[k + 1])
        size = np.abs(scale * path[k + 1]).max()
        # both gradients are 1e-14 at most, and the inner curvature is what divides them
        assert np.abs(scale * (led.theta - alone.theta)).max() <= 2e-14 / alone.curvature + 4 * eps * size
    # one evaluation belongs to the E-step
    alone, led = spent - 22
    assert led <= 0.8 * alone


@pytest.mark.parametrize("K", [2, 3])
def test_a_gate_that_the_kernel_does_not_solve_is_solved_by_values(K, monkeypatch):
    problem, theta = _problem(400, K)
    first = problem.model.em_step(problem.data, theta)[1]
    # residuals are counted as too large, whatever they are
    monkeypatch.setitem(vars(problem.model), "fused", None)
    monkeypatch.setattr("emmd.fits.newton.NewtonResult.solved", property(lambda self: False))
    again = problem.model.em_step(problem.data, theta)[1]
    scale = problem.model.parameter_scale(problem.data)
    difference, size = np.abs(scale * (again.theta - first.theta)).max(), np.abs(scale * first.theta).max()
    # one gradient is 1e-14 at most, the other what is reported, and the inner curvature divides them
    assert again.residual <= 1e-13
    assert difference <= (1e-14 + again.residual) / first.curvature + 4 * np.finfo(float).eps * size


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("gate", ["softmax", "constant"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_nan_leaves_where_parameters_overflow_the_loss(gate, variance):
    problem, theta = _problem(400, 3, gate, variance=variance)
    step = problem.model.em_step(problem.data, np.full(len(theta), 1e200))[1]
    # `Problem.em_step` raises where a step is not solved
    assert not step.solved or np.isfinite(step.theta).all()
