"""What a sample of the rows tells of Newton's steps, and that nobody believes more than can be known."""

import numba
import numpy as np
import pytest
from scipy.special import expit, softmax

from emmd.kernels.compile.jit import in_shares
from emmd.kernels.rows.reduce import BLOCK
from emmd.kernels.rows.weights import for_kernels
from emmd.kernels.solvers import newton
from emmd.kernels.solvers.logistic_remainder import remainder_rows, remainders
from emmd.kernels.solvers.multinomial_remainder import softmax_remainder_rows
from emmd.kernels.solvers.remainder import estimate, sampled_blocks
from tests.kernels.logistic import Logistic, logistic, workspace

pytestmark = pytest.mark.kernels

COUNT = 7


def _sample(n, d, uniform=False):
    rng = np.random.default_rng([n, d])
    X = rng.standard_normal((n, d))
    blocks = np.full((-(-n // BLOCK), BLOCK, d), np.nan)
    blocks.reshape(-1, d)[:n] = X
    c = np.full(n, 1.0 / n) if uniform else rng.uniform(0.1, 1.0, n) / n
    w = rng.standard_normal(d)
    return X, blocks.transpose(0, 2, 1).copy(), c, w, w + 0.1 * rng.standard_normal(d)


def _by_rows(X, c, w, end):
    b, s = X @ w, X @ (end - w)
    p = expit(b)
    return (c * (expit(b + s) - p - p * (1 - p) * s))[:, None] * X, c * p * (1 - p) * s**2


def _rounding(X, c, free=1):
    """Bound the rounding of a block's remainder and curvature, probabilities and logits below 16.

    A row's three terms are probabilities, or those times changes below 1, and carry 16 units by what logits
    round to; the curvature is a square below 1 and carries as many.
    """
    size = np.append(np.tile(c @ np.abs(X), free), c.sum())
    return 16 * np.finfo(float).eps * size


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize("d", [1, 3, 10])
def test_sampled_blocks_lie_evenly_and_hold_whole_rows(d, uniform):
    # the last block, of one row and otherwise NaN, must not be read
    n = 40 * BLOCK + 1
    X, XB, c, w, end = _sample(n, d, uniform)
    partials = np.zeros((COUNT, d + 1))
    remainder_rows(0, COUNT, partials, XB, for_kernels(c), n, w, end)
    moments, curvatures = _by_rows(X, c, w, end)
    middles = (np.arange(COUNT) + 0.5) * 40 / COUNT
    for k, block in enumerate(middles.astype(int)):
        rows = slice(block * BLOCK, (block + 1) * BLOCK)
        expected = np.append(moments[rows].sum(axis=0), curvatures[rows].sum())
        assert (np.abs(partials[k] - expected) <= _rounding(X[rows], c[rows])).all()


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("d", [1, 3])
def test_the_remainder_of_a_softmax(d, K):
    n = 40 * BLOCK + 1
    X, XB, c, *_ = _sample(n, d)
    rng = np.random.default_rng([d, K])
    W = rng.standard_normal((K - 1, d))
    end = W + 0.1 * rng.standard_normal(W.shape)
    partials = np.zeros((COUNT, (K - 1) * d + 1))
    softmax_remainder_rows(0, COUNT, partials, XB, for_kernels(c), n, W.ravel(), end.ravel())
    logits, s = np.column_stack([X @ W.T, np.zeros(n)]), np.column_stack([X @ (end - W).T, np.zeros(n)])
    p, p_end = softmax(logits, axis=1), softmax(logits + s, axis=1)
    change = s - (p * s).sum(axis=1, keepdims=True)
    rest, curvature = p_end - p - p * change, (p * change**2).sum(axis=1)
    for k in range(COUNT):
        block = (2 * k + 1) * 40 // (2 * COUNT)
        rows = slice(block * BLOCK, (block + 1) * BLOCK)
        moments = (c[rows, None] * rest[rows, :-1]).T @ X[rows]
        expected = np.append(moments.ravel(), c[rows] @ curvature[rows])
        assert (np.abs(partials[k] - expected) <= _rounding(X[rows], c[rows], K - 1)).all()


@pytest.mark.parametrize("d", [1, 3, 10])
def test_two_classes_are_logistic(d):
    n = 40 * BLOCK
    X, XB, c, w, end = _sample(n, d)
    found = np.zeros((2, COUNT, d + 1))
    for kernel, partials in zip((remainder_rows, softmax_remainder_rows), found):
        kernel(0, COUNT, partials, XB, c, n, w, end)
    largest = X[np.argmax(np.abs(X).sum(axis=1))]
    assert (
        np.abs(found[0] - found[1]) <= _rounding(np.tile(largest, (BLOCK, 1)), np.full(BLOCK, c.max()))
    ).all()


def test_estimates_are_totals_with_their_standard_errors():
    partials = np.random.default_rng(0).standard_normal((COUNT, 4))
    found, n = np.empty(7), 1234.0
    estimate(partials, n, found)
    whole = n / (COUNT * BLOCK)
    np.testing.assert_allclose(found[:3], whole * partials[:, :3].sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(
        found[3:6], whole * np.sqrt(COUNT) * partials[:, :3].std(axis=0, ddof=1), rtol=1e-13
    )
    assert found[6] == pytest.approx(whole * partials[:, 3].sum())


def test_a_sample_is_off_by_its_standard_errors():
    n, d = 100_000, 10
    X, XB, c, w, end = _sample(n, d)
    vectors = np.zeros((1, 4, d))
    vectors[0, newton.POINT], vectors[0, newton.TRIAL] = w, end
    (found,) = remainders(1, XB, c, n, vectors, np.array([newton.REMAINDER]))
    moments, curvatures = _by_rows(X, c, w, end)
    off = (found[:d] - moments.sum(axis=0)) / found[d : 2 * d]
    # ten of Student's t with 23 degrees of freedom: their mean square is 1 within 4 times 0.47
    assert 0.1 < np.mean(off**2) < 2.9
    assert found[2 * d] == pytest.approx(curvatures.sum(), rel=0.1)


def test_what_is_not_wanted_is_not_looked_at():
    n, d = 100_000, 2
    _, XB, c, w, end = _sample(n, d)
    vectors = np.full((2, 4, d), np.nan)
    vectors[1, newton.POINT], vectors[1, newton.TRIAL] = w, end
    found = remainders(1, XB, c, n, vectors, np.array([newton.HESSIAN, newton.REMAINDER]))
    assert (found[0] == 0.0).all()
    assert (found[1] != 0.0).all()


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="threads are started by compiled code")
@pytest.mark.parametrize("rows", [remainder_rows, softmax_remainder_rows])
@pytest.mark.parametrize("edges", [[0, COUNT], [0, 3, COUNT], [0, 0, COUNT], [0, 1, 2, COUNT]])
def test_shares_have_the_bits_of_one_thread(edges, rows):
    n, d = 40 * BLOCK, 5
    _, XB, c, w, end = _sample(n, d)
    found = []
    for run in (in_shares(rows), lambda edges, *rest: rows(edges[0], edges[-1], *rest)):
        partials = np.zeros((COUNT, d + 1))
        run(np.array(edges), partials, XB, c, n, w, end)
        found.append(partials.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(("n", "count"), [(1000, 0), (98_303, 0), (98_304, 24), (10**6, 244), (10**7, 256)])
def test_a_sample_is_a_sixteenth_at_most(n, count):
    assert sampled_blocks(n) == count


# --- what Newton's method makes of it ---------------------------------------------------------------------


def _passes(problem, start, remainder):
    """Return how many looks at all rows the method took after the start, and the scaled gradient it left."""
    problem.asked.clear()
    state, x = problem.solve(start, remainder)
    assert state[newton.RESIDUAL] <= newton.ACCEPTED
    passes = sum(asked != newton.REMAINDER for asked in problem.asked)
    return passes, np.abs(problem.sums(x, False) / problem.scale).max()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("distance", [3e-7, 1e-3, 1e-2, 0.1])
def test_the_remainder_saves_passes(seed, distance):
    problem, truth = logistic(400, 6, seed)
    start = problem.solve(truth)[1] * (1.0 + distance)
    without, _ = _passes(problem, start, None)
    spent, left = _passes(problem, start, problem.remainder)
    assert spent < without
    assert left <= newton.TARGET + 1e-15


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("distance", [1e-9, 1e-6, 1e-5])
def test_no_sample_is_taken_where_it_saves_nothing(seed, distance):
    """The step is enough, or the next one is with and without."""
    problem, truth = logistic(400, 6, seed)
    start = problem.solve(truth)[1] * (1.0 + distance)
    problem.asked.clear()
    problem.solve(start, problem.remainder)
    assert newton.REMAINDER not in problem.asked
    assert len(problem.asked) <= 1


LIES = {
    "nothing": lambda true, d: np.concatenate([np.zeros(2 * d), true[2 * d :]]),
    "the opposite": lambda true, d: np.concatenate([-true[:d], np.zeros(d), true[2 * d :]]),
    "tenfold": lambda true, d: np.concatenate([10.0 * true[:d], np.zeros(d), true[2 * d :]]),
    "no number": lambda true, d: np.concatenate([np.full(2 * d, np.nan), true[2 * d :]]),
    "none of the curvature": lambda true, d: np.concatenate([true[: 2 * d], [0.0]]),
    "no curvature": lambda true, d: np.concatenate([true[: 2 * d], [np.nan]]),
    "thrice the curvature": lambda true, d: np.concatenate([true[: 2 * d], 3.0 * true[2 * d :]]),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_sample_that_lies_costs_passes_and_no_digits(lie):
    """Rows that no sample holds may carry everything: what is accepted must not depend on it."""
    for seed in range(3):
        problem, truth = logistic(400, 6, seed)
        end = problem.solve(truth)[1]
        for distance in 10.0 ** np.arange(-10.0, 0.0):
            looks = []

            def told(vectors, problem=problem, looks=looks):
                looks.append(vectors[newton.TRIAL].copy())
                return LIES[lie](problem.remainder(vectors), 6)

            _, left = _passes(problem, end * (1.0 + distance), told)
            # what is known of all rows, and the rounding of 400 terms
            assert left <= newton.ACCEPTED + 1e-15
            if "curvature" in lie:
                assert len(looks) <= 1


def test_a_sample_of_another_curvature_changes_no_step():
    problem, truth = logistic(400, 6, 1)
    start = 0.97 * problem.solve(truth)[1]
    plain = problem.solve(start)[1]
    for lie in ("none of the curvature", "no curvature", "thrice the curvature"):
        found = problem.solve(start, lambda vectors, lie=lie: LIES[lie](problem.remainder(vectors), 6))[1]
        np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize(
    ("remainder", "believed"),
    [
        ([1e-4, 0.0], True),
        # larger than the gradient, though the slope along the step stays
        ([5e-3, -2.5e-4], False),
        # small, but four times the slope along the step
        ([0.0, 2e-4], False),
    ],
)
def test_only_small_corrections_are_made(remainder, believed):
    hessian, gradient = np.array([0.2, 1e-4]), np.array([1e-3, 1e-5])
    state, vectors, factor = workspace(np.zeros(2), 1.0, sampled=True)
    sums = np.array([*gradient, hessian[0], 0.0, hessian[1]])
    assert newton.advance(state, vectors, factor, sums, np.ones(2), True) == newton.REMAINDER
    np.testing.assert_allclose(vectors[newton.TRIAL], -gradient / hessian, rtol=1e-14)
    curvature = np.sum(gradient**2 / hessian)
    wanted = newton.look(state, vectors, factor, np.array([*remainder, 0.0, 0.0, curvature]), np.ones(2))
    assert wanted in (newton.GRADIENT, newton.HESSIAN)
    end = -(gradient + np.array(remainder) * believed) / hessian
    np.testing.assert_allclose(vectors[newton.TRIAL], end, rtol=1e-14)
    np.testing.assert_allclose(vectors[newton.STEP], end, rtol=1e-14)


def test_a_sample_that_told_of_less_than_came_is_not_asked_again():
    problem, truth = logistic(400, 6, 2)
    start = 1.3 * problem.solve(truth)[1]
    problem.asked.clear()
    # the first step leaves what the sample denied
    problem.solve(start, lambda vectors: LIES["nothing"](problem.remainder(vectors), 6))
    assert problem.asked.count(newton.REMAINDER) == 1
    problem.asked.clear()
    problem.solve(start, problem.remainder)
    assert problem.asked.count(newton.REMAINDER) == 2


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
        assert np.abs(problem.sums(x, False) / problem.scale).max() <= newton.TARGET + 1e-15
    assert ended > 4
