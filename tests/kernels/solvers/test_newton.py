"""The compiled Newton method: its answers, what it asks for, and its Cholesky factors."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from emmd.fits.newton import newton_by_values as newton_python
from emmd.fits.newton import newton_together
from emmd.kernels.linear.gram import packed
from emmd.kernels.maths.cholesky import cholesky, cholesky_solve
from emmd.kernels.solvers import newton_steps
from emmd.kernels.solvers.logistic import LOG_2, hessian_cost
from tests.kernels.logistic import Logistic, logistic, workspace

pytestmark = pytest.mark.kernels


# --- Cholesky -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 7, 20])
def test_factor_and_solution(d):
    rng = np.random.default_rng(d)
    root = rng.standard_normal((d, 2 * d))
    A = root @ root.T / (2 * d)
    L = np.zeros((d, d))
    pivot = cholesky(A, L)
    np.testing.assert_allclose(L, np.linalg.cholesky(A), rtol=1e-12, atol=1e-12)
    assert pivot == pytest.approx(np.diag(L).min() ** 2)
    x = rng.standard_normal(d)
    solution = A @ x
    cholesky_solve(L, solution)
    np.testing.assert_allclose(solution, x, rtol=1e-9)


def test_a_singular_matrix_is_damped_and_says_so():
    L = np.zeros((3, 3))
    assert cholesky(np.ones((3, 3)), L) == 0.0
    np.testing.assert_allclose(L @ L.T, np.ones((3, 3)), atol=1e-6)


def test_nan_ends():
    assert cholesky(np.full((2, 2), np.nan), np.zeros((2, 2))) == 0.0


def test_packed_entries_lie_row_by_row():
    d = 5
    assert [packed(d, j, k) for j, k in zip(*np.triu_indices(d))] == list(range(d * (d + 1) // 2))


# --- Newton ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [0.1, 1.0, 5.0])
def test_the_gradient_vanishes_and_scipy_agrees(seed, size):
    problem, truth = logistic(200, 1 + 2 * seed, seed, size)
    for start in (np.zeros_like(truth), 0.5 * truth, -3.0 * truth):
        state, x = problem.solve(start)
        gradient = problem.sums(x, False) / problem.scale
        assert state[newton_steps.RESIDUAL] <= newton_steps.ACCEPTED
        # the last step is taken after the residual was measured; sums of 200 terms of size 1 round to 1e-15
        assert np.abs(gradient).max() <= 0.5 * state[newton_steps.RESIDUAL] + 2e-15
        loose = minimize(lambda u: problem.value(u / problem.scale), x * problem.scale, method="BFGS")
        # nowhere near x is there a smaller value
        assert loose.fun >= problem.value(x) - 1e-14 * (1.0 + abs(loose.fun))


def test_a_start_that_is_sure_and_wrong_is_replaced():
    problem, truth = logistic(200, 4, 0)
    start = -400.0 * truth
    assert problem.value(start) > LOG_2
    state, x = problem.solve(start)
    np.testing.assert_array_equal(x, logistic(200, 4, 0)[0].solve(np.zeros(4))[1])
    assert state[newton_steps.RESIDUAL] <= newton_steps.ACCEPTED
    # gradient and Hessian at 0, before any step
    assert problem.asked[0] == newton_steps.HESSIAN
    assert state[newton_steps.ITERATIONS] == len(problem.asked)


@pytest.mark.parametrize("length", [0.1, 1.0, 10.0, 1e3])
def test_the_slope_along_the_ray_from_zero_tells_the_loss(length):
    """f(w) - f(0) = w' grad f(w) - (log 2 - E H(p)): what replaces a start needs no value."""
    problem, truth = logistic(200, 4, 1)
    w = -length * truth
    p = expit(problem.X @ w)
    entropy = -problem.c @ (np.where(p > 0, p * np.log(p + (p == 0)), 0) + (1 - p) * np.log1p(-p + (p == 1)))
    slope = w @ problem.sums(w, False)
    assert problem.value(w) - LOG_2 == pytest.approx(slope - (LOG_2 - entropy), rel=1e-12)
    problem.solve(w)
    replaced = problem.asked[0] == newton_steps.HESSIAN and slope > LOG_2
    assert replaced == (problem.value(w) > LOG_2 + entropy)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", [0, 1])
def test_no_gradient_ends_after_one_look_at_zero(where, bad):
    state, vectors, factor = workspace(np.ones(2), 1.0, LOG_2)
    sums = np.array([0.0, 0.0, 1.0, 0.0, 1.0])
    sums[where] = bad
    assert newton_steps.advance(state, vectors, factor, sums, np.ones(2), True) == newton_steps.HESSIAN
    np.testing.assert_array_equal(vectors[newton_steps.TRIAL], 0.0)
    assert newton_steps.advance(state, vectors, factor, sums, np.ones(2), True) == newton_steps.DONE
    assert not state[newton_steps.RESIDUAL] <= newton_steps.ACCEPTED


def test_a_step_that_overshoots_is_halved():
    # curvature at the start is 1e-4 of that at the minimum: the first Newton step is far too long
    X = np.ones((2, 1))
    problem = Logistic(X, np.array([0.4, 0.4]), np.array([0.5, 0.5]))
    sums = problem.sums(np.array([9.0]), True)
    state, vectors, factor = workspace([9.0], 1.0)
    wanted = newton_steps.advance(state, vectors, factor, sums, problem.scale, True)
    first = float(vectors[newton_steps.TRIAL][0])
    assert first < -1000.0
    found = problem.sums(vectors[newton_steps.TRIAL], wanted == newton_steps.HESSIAN)
    wanted = newton_steps.advance(
        state, vectors, factor, found, problem.scale, wanted == newton_steps.HESSIAN
    )
    assert vectors[newton_steps.TRIAL][0] == 9.0 + 0.5 * (first - 9.0)
    while wanted != newton_steps.DONE:
        with_hessian = wanted == newton_steps.HESSIAN
        found = problem.sums(vectors[newton_steps.TRIAL], with_hessian)
        wanted = newton_steps.advance(state, vectors, factor, found, problem.scale, with_hessian)
    assert vectors[newton_steps.POINT][0] == pytest.approx(np.log(0.4 / 0.6), rel=1e-12)


def test_near_the_solution_no_second_hessian_is_asked_for():
    problem, truth = logistic(200, 10, 3)
    solution = problem.solve(truth)[1]
    problem.asked.clear()
    problem.solve(solution + 1e-5 * truth)
    assert problem.asked
    assert set(problem.asked) == {newton_steps.GRADIENT}


def test_where_a_gram_matrix_is_cheap_hessians_are_asked_for():
    problem, truth = logistic(200, 2, 3)
    problem.solve(0.2 * truth)
    assert newton_steps.HESSIAN in problem.asked


def _hostile(kind, rng):
    """Return a problem that Newton's method finds hard, and a start at some distance from its truth."""
    d = int(rng.integers(1, 12))
    n = int(rng.integers(3 * d + 5, 600))
    X = rng.standard_t(1.5, (n, d)) if kind == "heavy tails" else rng.standard_normal((n, d))
    if kind == "rare":
        X = (rng.random((n, d)) < 0.05).astype(float)
        X[0] = 1.0
    if kind == "collinear":
        X[:, -1] = X.sum(axis=1) + 10.0 ** rng.uniform(-5, -1) * rng.standard_normal(n)
    if kind == "outlier":
        X[0] *= 10.0 ** rng.uniform(1, 3)
    X[:, 0] = 1.0
    size = rng.uniform(3.0, 30.0) if kind == "saturated" else rng.uniform(0.1, 3.0)
    truth = size * rng.standard_normal(d) / np.sqrt(d)
    if kind == "unbalanced":
        truth[0] = -rng.uniform(4.0, 12.0)
    c = rng.uniform(0.1, 1.0, n)
    problem = Logistic(X, expit(X @ truth + rng.uniform(0, 2) * rng.standard_normal(n)), c / c.sum())
    return problem, truth + size * 10.0 ** rng.uniform(-9, 0) * rng.standard_normal(d)


HOSTILE = ["heavy tails", "rare", "collinear", "outlier", "saturated", "unbalanced"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_the_last_step_is_foreseen_to_leave_comes_true(kind):
    """The last step is taken without a look at where it leads; in 12,000 such problems it was never worse."""
    rng = np.random.default_rng(list(kind.encode()))
    for _ in range(80):
        problem, start = _hostile(kind, rng)
        x = problem.solve(start)[1]
        gradient = np.abs(problem.sums(x, False) / problem.scale).max()
        # moduli that add up to at most 1, in BLAS's eight strands of up to 75 terms: about sqrt(75) eps / 2
        assert gradient <= newton_steps.TARGET + 1e-15


def test_separable_labels_have_no_curvature_at_the_end():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(60), np.ones(60)])
    problem = Logistic(X, (X[:, 0] > 0).astype(float), np.full(60, 1 / 60))
    state, x = problem.solve(np.zeros(2))
    assert np.isfinite(x).all()
    assert state[newton_steps.CURVATURE] < 1e-12


def test_steps_after_a_hessian_correct_its_factor():
    """Along a quadratic whose factor is wrong, as many corrections as dimensions end at the minimum."""
    d = 5
    A = np.diag(np.linspace(1.0, 1.25, d))
    minimum = np.arange(1.0, d + 1.0)
    hessian = np.eye(d)[np.triu_indices(d)]
    state, vectors, factor = workspace(np.zeros(d), 1e9)
    first = np.concatenate([-A @ minimum, hessian])
    wanted = newton_steps.advance(state, vectors, factor, first, np.ones(d), True)
    asked = 0
    while wanted != newton_steps.DONE:
        assert wanted == newton_steps.GRADIENT
        gradient = A @ (vectors[newton_steps.TRIAL] - minimum)
        wanted = newton_steps.advance(state, vectors, factor, gradient, np.ones(d), False)
        asked += 1
    np.testing.assert_allclose(vectors[newton_steps.POINT], minimum, rtol=1e-13)
    # the factor alone contracts by 1/4 along one axis: 24 gradients
    assert asked <= 12


def test_functions_together_end_where_they_end_alone():
    problems = [logistic(200, 4, seed)[0] for seed in range(3)]
    starts = np.array([0.3 * logistic(200, 4, seed)[1] for seed in range(3)])
    alone = [problem.solve(start)[1] for problem, start in zip(problems, starts)]
    scale = np.ones(4)
    for problem in problems:
        problem.scale, problem.crest = scale, 10.0
    cost = hessian_cost(4)

    def evaluate(points, wanted):
        sums = np.full((3, 14), np.nan)
        for k, (problem, point) in enumerate(zip(problems, points)):
            if wanted[k] != newton_steps.DONE:
                found = problem.sums(point, wanted[k] == newton_steps.HESSIAN)
                sums[k, : len(found)] = found
        return sums

    first = evaluate(starts, np.full(3, newton_steps.HESSIAN))
    together = newton_together(evaluate, starts, first, scale, LOG_2, cost, 10.0)
    singly = [problem.solve(start)[1] for problem, start in zip(problems, starts)]
    for result, one, other in zip(together, singly, alone):
        np.testing.assert_array_equal(result.x, one)
        np.testing.assert_allclose(result.x, other, rtol=1e-9, atol=1e-12)


def test_a_warm_start_that_is_solved_already_still_moves_to_the_minimum():
    """In a flat direction a gradient of 1e-15 is a distance of 1e-9: EM would stall there, not converged."""
    hessian = np.array([1.0, 0.0, 1e-6])
    minimum = np.array([1.0, 1e-9])
    gradient = -minimum * [1e-15, 1e-6]
    state, vectors, factor = workspace(np.zeros(2), 1.0)
    sums = np.concatenate([gradient, hessian])
    assert newton_steps.advance(state, vectors, factor, sums, np.ones(2), True) == newton_steps.DONE
    np.testing.assert_allclose(vectors[newton_steps.POINT], [1e-15, 1e-9], rtol=1e-12)
    solved = newton_python(lambda x: (0.0, gradient, np.diag([1.0, 1e-6])), np.zeros(2), np.ones(2))
    np.testing.assert_allclose(solved.x, [1e-15, 1e-9], rtol=1e-12)


@pytest.mark.parametrize("crest", [2.0, 10.0, 60.0])
def test_what_a_step_leaves_is_bounded_by_the_largest_feature(crest):
    """A rare feature of many root mean squares: one row decides what Newton's step leaves."""
    n, ended = 4000, 0
    X = np.ones((n, 2))
    X[:, 1] = 0.0
    X[: int(n / crest**2) + 1, 1] = 1.0
    q = np.full(n, 0.3)
    q[0] = 0.9
    problem = Logistic(X, q, np.full(n, 1.0 / n))
    end = problem.solve(np.zeros(2))[1]
    for distance in 10.0 ** np.arange(-9.0, -3.0, 0.125):
        problem.asked.clear()
        _, x = problem.solve(end + [0.0, distance])
        ended += not problem.asked
        assert np.abs(problem.sums(x, False) / problem.scale).max() <= newton_steps.TARGET + 1e-15
    assert ended > 4
