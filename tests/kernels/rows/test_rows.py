"""Chunk kernels against plain NumPy sums, and row kernels against 50 digits at any signal-to-noise ratio."""

import mpmath
import numpy as np
import pytest
from scipy.special import expit

from emmd.kernels.em import symmetric_linear, symmetric_logistic
from emmd.kernels.linear import predictors as linear
from emmd.kernels.maths.bernoulli import divergence_rows
from emmd.kernels.maths.softplus import softplus_rows
from emmd.kernels.rows.blocks import BLOCK, CHUNK
from emmd.kernels.rows.reduce import n_chunks, run_rows, sum_rows
from emmd.kernels.solvers.logistic import LOSS, logistic_rows
from emmd.kernels.solvers.newton_steps import DONE, GRADIENT, HESSIAN
from tests.kernels import exact

pytestmark = pytest.mark.kernels

MODELS = {"symmoline": symmetric_linear, "symmologe": symmetric_logistic}
U = 2.0**-53
"""Half a unit of rounding."""

TINY = 1e-315
"""Numbers below 2^-1022 have fewer digits; products with y^2 = 1e6 magnify what is lost there."""

# one row; around one and two blocks; the last block almost empty and almost full
ROWS = [1, 2, 255, 256, 257, 511, 512, 513, 600]


def _sample(n, d):
    rng = np.random.default_rng([n, d])
    XT = np.ascontiguousarray(rng.standard_normal((d, n)))
    return XT, rng.standard_normal(d), rng.standard_normal(d), rng.uniform(0.1, 1.0, n), rng


def _blocks(XT):
    """Return features of shape (d, n) in blocks; what lies beyond the last row must not be read."""
    d, n = XT.shape
    XB = np.full((-(-n // BLOCK), d, BLOCK), np.nan)
    for block, start in enumerate(range(0, n, BLOCK)):
        part = XT[:, start : start + BLOCK]
        XB[block, :, : part.shape[1]] = part
    return XB


def _upper(matrix):
    return matrix[np.triu_indices(len(matrix))]


def _close(actual, expected, size):
    """Agreement of two sums of at most 4500 terms whose absolute values sum to `size`.

    In any order a sum of n terms errs by n units at most; the factor 3 is for the terms themselves.
    """
    assert actual.shape == np.shape(expected)
    assert (np.abs(actual - expected) <= 3 * 4500 * U * size).all()


def test_the_sizes_are_the_interesting_ones():
    assert (BLOCK, CHUNK % BLOCK) == (256, 0)
    assert [n_chunks(n) for n in (1, CHUNK - 1, CHUNK, CHUNK + 1)] == [1, 1, 1, 2]


# --- sums -----------------------------------------------------------------------------------------------

# 4500: a second chunk with one full and one partial block
# features in tiles of four: below, at, above and twice the tile, with every remainder
SUMS = [(n, d) for n in ROWS for d in (1, 3)] + [(4500, 2)] + [(300, d) for d in (4, 5, 6, 7, 8, 9, 13)]


@pytest.mark.parametrize(("n", "d"), SUMS)
def test_predict(n, d):
    XT, theta, *_ = _sample(n, d)
    out = np.full(n, np.nan)
    run_rows(linear.predict_rows, n, _blocks(XT), theta, out)
    _close(out, XT.T @ theta, np.abs(XT.T) @ np.abs(theta))


@pytest.mark.parametrize(("n", "d"), SUMS)
def test_moment_and_gram(n, d):
    XT, *_, rng = _sample(n, d)
    v = rng.standard_normal(n)
    _close(sum_rows(linear.moment_rows, n, d, _blocks(XT), v), XT @ v, np.abs(XT) @ np.abs(v))
    gram = sum_rows(linear.gram_rows, n, d * (d + 1) // 2, _blocks(XT), v)
    _close(gram, _upper((XT * v) @ XT.T), _upper((np.abs(XT) * np.abs(v)) @ np.abs(XT).T))


def _logistic_sums(XT, w, q, c):
    """Return loss, gradient and packed Hessian of a soft-label logistic regression, with bounds."""
    b = XT.T @ w
    p = expit(b)
    value = np.sum(c * (np.logaddexp(0.0, b) - q * b)), np.sum(c * (1.0 + np.abs(b)))
    gradient = XT @ (c * (p - q)), np.abs(XT) @ c
    hessian, bound = (_upper((array * c * p * (1 - p)) @ array.T) for array in (XT, np.abs(XT)))
    return value, gradient, (hessian, bound + 1e-300)


@pytest.mark.parametrize(("n", "d"), SUMS)
def test_logistic_regressions(n, d):
    XT, w, _, c, rng = _sample(n, d)
    Q, W = rng.uniform(size=(3, n)), np.stack([w, -2.0 * w, 0.5 * w])
    wanted, width = np.array([LOSS, DONE, GRADIENT]), 1 + d + d * (d + 1) // 2
    sums = sum_rows(logistic_rows, n, 3 * width, _blocks(XT), W, Q, c, wanted).reshape(3, width)
    value, gradient, hessian = _logistic_sums(XT, W[0], Q[0], c)
    _close(sums[0, :1], [value[0]], value[1])
    _close(sums[0, 1 : 1 + d], *gradient)
    _close(sums[0, 1 + d :], *hessian)
    assert not sums[1].any()
    _, gradient, _ = _logistic_sums(XT, W[2], Q[2], c)
    _close(sums[2, 1 : 1 + d], *gradient)
    assert not sums[2, 1 + d :].any()
    unvalued = sum_rows(logistic_rows, n, 3 * width, _blocks(XT), W, Q, c, np.array([HESSIAN, DONE, DONE]))
    np.testing.assert_array_equal(unvalued[1:width], sums[0, 1:])
    narrow = sum_rows(logistic_rows, n, 3 * (1 + d), _blocks(XT), W, Q, c, np.array([DONE, DONE, GRADIENT]))
    np.testing.assert_array_equal(narrow.reshape(3, 1 + d)[2], sums[2, : 1 + d])


def _e_step(name, XB, y, c, beta, w, p, width, start=None):
    """Run a model's E-step on all rows; symmologe writes the posterior of y z = 1 before that of z = 1."""
    working = np.concatenate([beta, w])
    start = working if start is None else start
    labels = np.full((1 if name == "symmoline" else 2, len(y)), np.nan)
    sums = sum_rows(MODELS[name].e_step_rows, len(y), width, XB, y, c, working, start, labels)
    p[:] = labels[-1]
    return sums


@pytest.mark.parametrize(("n", "d"), SUMS)
@pytest.mark.parametrize("name", MODELS)
def test_e_step(name, n, d):
    XT, beta, w, c, rng = _sample(n, d)
    y = rng.choice([-1.0, 1.0], n)
    p = np.full(n, np.nan)
    loss = _e_step(name, _blocks(XT), y, c, beta, w, p, 1)
    a, b = XT.T @ beta, XT.T @ w
    logit = b + (2.0 if name == "symmoline" else 1.0) * a * y
    np.testing.assert_allclose(p, expit(logit), rtol=1e-13)
    if name == "symmoline":
        joint = [np.log(expit(z * b)) - 0.5 * (y - z * a) ** 2 - 0.5 * np.log(2 * np.pi) for z in (1, -1)]
    else:
        joint = [np.log(expit(z * b)) + np.log(expit(z * y * a)) for z in (1, -1)]
    rows = c * -np.log(np.exp(joint[0]) + np.exp(joint[1]))
    _close(loss, [rows.sum()], np.sum(c * (1.0 + np.abs(rows))))


@pytest.mark.parametrize(("n", "d"), SUMS)
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_what_the_e_step_adds_up_for_the_m_step(name, moved, n, d):
    XT, beta, w, c, rng = _sample(n, d)
    y = rng.choice([-1.0, 1.0], n) if name == "symmologe" else 2.0 * rng.standard_normal(n)
    p, P = np.full(n, np.nan), d * (d + 1) // 2
    width = MODELS[name].sums_width(d)
    assert width == (1 + 2 * d + P if name == "symmoline" else 1 + 2 * (d + P))
    plain = _e_step(name, _blocks(XT), y, c, beta, w, p, 1)
    kept = p.copy()
    # where the M-step is to begin elsewhere, posterior and loss are those at theta all the same
    at_beta, at_w = (beta - 0.3, 0.7 * w) if moved else (beta, w)
    start = np.concatenate([at_beta, at_w]) if moved else None
    sums = _e_step(name, _blocks(XT), y, c, beta, w, p, width, start)
    np.testing.assert_array_equal(p, kept)
    assert sums[0] == plain[0]
    _, *gate = _logistic_sums(XT, at_w, p, c)
    if name == "symmoline":
        _close(sums[1 : 1 + d], XT @ (c * (2 * p - 1) * y), np.abs(XT) @ (c * np.abs(y)))
    else:
        _, *expert = _logistic_sums(XT, at_beta, np.where(y > 0, p, 1 - p), c)
        for actual, expected in zip((sums[1 : 1 + d], sums[1 + d : 1 + d + P]), expert):
            _close(actual, *expected)
    for actual, expected in zip((sums[-d - P : -P], sums[-P:]), gate):
        _close(actual, *expected)


# --- a share of the chunks --------------------------------------------------------------------------------


def _share(n=2 * CHUNK + 300):
    """Return the arrays of a sample of three chunks, and the rows of the middle one."""
    XT, theta, _, c, _ = _sample(n, 1)
    return XT, theta, c, slice(CHUNK, 2 * CHUNK)


def test_a_share_writes_its_own_chunks_only():
    XT, theta, c, middle = _share()
    n, XB = XT.shape[1], _blocks(XT)
    out, partials = np.full(n, np.nan), np.zeros((3, 1))
    linear.predict_rows(1, 2, partials, XB, theta, out)
    linear.moment_rows(1, 2, partials, XB, c)
    written = np.zeros(n, dtype=bool)
    written[middle] = True
    np.testing.assert_array_equal(np.isfinite(out), written)
    np.testing.assert_array_equal(partials[:, 0] != 0, [False, True, False])
    _close(partials[1], [XT[0, middle] @ c[middle]], np.abs(XT[0, middle]) @ c[middle])


def test_shares_add_up_to_the_whole_bit_by_bit():
    XT, theta, c, _ = _share()
    n, XB = XT.shape[1], _blocks(XT)
    whole, parts = np.zeros((2, 3, 1))
    linear.moment_rows(0, 3, whole, XB, c)
    for first, last in ((0, 1), (1, 3)):
        linear.moment_rows(first, last, parts, XB, c)
    np.testing.assert_array_equal(parts, whole)
    outs = np.full((2, n), np.nan)
    linear.predict_rows(0, 3, whole, XB, theta, outs[0])
    linear.predict_rows(0, 2, whole, XB, theta, outs[1])
    linear.predict_rows(2, 3, whole, XB, theta, outs[1])
    np.testing.assert_array_equal(outs[0], outs[1])


# --- where the arrays lie -----------------------------------------------------------------------------------
# A compiled loop that sums into memory is vectorised only behind a check that its arrays do not overlap; the
# check reckons with whole chunks, fails for some neighbours, and another order of summation gives other bits.


def _sums(name, arrays, d):
    """Run a summing kernel on arrays called partials, XB, u, v, c and out; return its sums."""
    partials, XB, u, v, c, out = (arrays[key] for key in ("partials", "XB", "u", "v", "c", "out"))
    theta = np.linspace(-1.0, 1.0, d)
    W, labels, both = theta[np.newaxis], c[np.newaxis], np.concatenate([0.5 * theta, -theta])
    at = np.concatenate([theta, theta])
    calls = {
        "divergence": lambda: divergence_rows(0, 1, partials, u, v, c),
        "moment": lambda: linear.moment_rows(0, 1, partials, XB, u),
        "gram": lambda: linear.gram_rows(0, 1, partials, XB, u),
        "logistic": lambda: logistic_rows(0, 1, partials, XB, W, labels, c, np.array([HESSIAN])),
        "gradient": lambda: logistic_rows(0, 1, partials, XB, W, labels, c, np.array([GRADIENT])),
        "symmoline": lambda: symmetric_linear.e_step_rows(0, 1, partials, XB, u, c, at, both, out[:1]),
        "symmologe": lambda: symmetric_logistic.e_step_rows(0, 1, partials, XB, u, c, at, both, out),
    }
    calls[name]()
    return partials.tobytes()


def _laid_out(arrays, order, gap):
    """Return copies of the arrays in one piece of memory, in the given order, `gap` numbers apart."""
    memory = np.zeros(sum(array.size for array in arrays.values()) + gap * len(order))
    placed, start = {}, 0
    for key in order:
        stop = start + arrays[key].size
        placed[key] = memory[start:stop].reshape(arrays[key].shape)
        placed[key][...] = arrays[key]
        start = stop + gap
    return placed


SUMMING = ["divergence", "moment", "gram", "logistic", "gradient", "symmoline", "symmologe"]


@pytest.mark.parametrize("name", SUMMING)
def test_sums_do_not_depend_on_addresses(name):
    n, d = 300, 7
    rng = np.random.default_rng(4)
    arrays = {key: 3.0 * rng.standard_normal(n) for key in ("u", "v")}
    arrays |= {"out": np.zeros((2, n))} | {
        "c": rng.uniform(size=n),
        "XB": _blocks(rng.standard_normal((d, n))),
    }
    arrays["partials"] = np.zeros((1, 1 + 2 * (d + d * (d + 1) // 2)))
    orders = []
    for written in ("partials", "out", "v"):
        others = [key for key in arrays if key != written]
        orders += [[*others[:k], written, *others[k:]] for k in range(6)]
    results = {_sums(name, _laid_out(arrays, order, gap), d) for order in orders for gap in (0, 8, 5000)}
    assert len(results) == 1


# --- row by row -------------------------------------------------------------------------------------------

SCORES = [0.0, 1e-8, 0.3, 1.0, 7.0, 40.0, 800.0, 1e4]
SCORES = SCORES + [-score for score in SCORES[1:]]
TARGETS = {"symmoline": [0.0, 0.5, -3.0, 30.0, -1e3], "symmologe": [1.0, -1.0]}
EXPERTS = {"symmoline": [0.0, 1e-6, 0.7, -4.0, 25.0, -1e3, 1e3], "symmologe": SCORES}


@pytest.fixture(scope="module", params=MODELS)
def grid(request):
    """Scalars (a, b, y) of one model, with the truth to 50 digits."""
    name = request.param
    points = [(a, b, y) for a in EXPERTS[name] for b in SCORES for y in TARGETS[name]]
    # where prior and evidence cancel, so that the posterior is undecided at a large logit
    points += [(-1e4 / 2 / 500, 1e4, 500.0)] if name == "symmoline" else [(1e4, -1e4, 1.0), (1e4, 1e4, -1.0)]
    with mpmath.workdps(exact.DIGITS):
        truth = [exact.row(name, *point) for point in points]
    return name, *np.array(points).T, truth


def _logit_error(name, a, b, y):
    """Bound the rounding of the posterior logit b + 2ay or b + ay: two operations."""
    return 2 * U * (np.abs(b) + 2 * np.abs(a * y))


def _worst(actual, truth, tolerance):
    """Return the largest ratio of error to tolerance."""
    with mpmath.workdps(exact.DIGITS):
        error = [float(abs(mpmath.mpf(x) - t)) for x, t in zip(actual.tolist(), truth, strict=True)]
    return np.max(np.array(error) / (tolerance + TINY))


def _e_step_alone(name, a, b, y):
    """Run the E-step on one row at a time; the features are the scores, so the predictors are exact."""
    losses, p = np.empty((2, len(a)))
    pick = np.eye(2)
    for i, (score_a, score_b) in enumerate(zip(a, b)):
        XB = _blocks(np.array([[score_a], [score_b]]))
        losses[i] = _e_step(name, XB, y[i : i + 1], np.ones(1), pick[0], pick[1], p[i : i + 1], 1)[0]
    return losses, p


def test_e_step_at_any_snr(grid):
    name, a, b, y, truth = grid
    loss, p = _e_step_alone(name, a, b, y)
    true_loss, true_p = ([t[k] for t in truth] for k in (0, 1))
    # nothing cancels: symmoline's loss is at least 0.9 - log 2, and the logarithm in symmologe's, where it is
    # negative, is less than a quarter of the other term; so a dozen roundings of terms that are at most 8
    # times the sum
    assert _worst(loss, true_loss, 100 * U * np.array(true_loss, float)) <= 1
    size = np.array(true_p, float)
    # an error of the logit is a relative error of a small p; the exponential adds 2.2 U, the quotient, taken
    # out of a common one, 1 + 7 roundings for symmoline and 1 + 8 for symmologe
    assert _worst(p, true_p, size * (_logit_error(name, a, b, y) + 12 * U)) <= 1


@pytest.mark.parametrize("name", MODELS)
def test_responsibilities_are_at_most_one(name):
    """A quotient taken out of a common one may be rounded above 1: 2 in 100 of these would be."""
    rng = np.random.default_rng(7)
    b = rng.choice([-1.0, 1.0], 2000) * 10.0 ** rng.uniform(-2.0, 2.0, 2000)
    XB, y = _blocks(np.array([np.abs(b), b])), rng.choice([-1.0, 1.0], 2000)
    p = np.empty(2000)
    for scale in (0.1, 10.0, 1e3):
        _e_step(name, XB, y, np.ones(2000), np.array([scale, 0.0]), np.array([0.0, 1.0]), p, 1)
        assert p.max() == 1.0
        assert p.min() >= 0.0


def test_marginal_rows_at_any_snr(grid):
    name, a, b, y, truth = grid
    loss, slope_a, slope_b = np.full((3, len(a)), np.nan)
    for i in range(len(a)):
        row = slice(i, i + 1)
        slopes = slope_a[row], slope_b[row]
        loss[i] = MODELS[name].marginal_block(a[row], b[row], y[row], np.ones(1), *slopes)
    true_loss, true_p, true_q, true_a, true_b = zip(*truth)
    assert _worst(loss, true_loss, 100 * U * np.array(true_loss, float)) <= 1
    # the posterior logit is a difference of two log joints, each with a few roundings of its largest term
    largest = np.abs(b) + (np.abs(a) + np.abs(y)) ** 2 / 2 if name == "symmoline" else np.abs(a) + np.abs(b)
    with mpmath.workdps(exact.DIGITS):
        spread = np.array([float(p * q) for p, q in zip(true_p, true_q)])
    term_a = np.abs(a) + np.abs(y) if name == "symmoline" else 1.0
    for slope, true_slope, term in ((slope_a, true_a, term_a), (slope_b, true_b, 1.0)):
        assert _worst(slope, true_slope, 2 * term * (12 * U + spread * 8 * U * (1.0 + largest))) <= 1


def test_information_rows_at_any_snr(grid):
    name, a, b, y, truth = grid
    complete, missing = np.full((2, len(a)), np.nan), np.full((3, len(a)), np.nan)
    c = np.full(len(a), 0.5)
    MODELS[name].information_block(a, b, y, c, tuple(complete), tuple(missing))
    with mpmath.workdps(exact.DIGITS):
        spread = [t[1] * t[2] for t in truth]
        gate = [exact.sigmoid(mpmath.mpf(s)) * exact.sigmoid(-mpmath.mpf(s)) for s in b.tolist()]
        expert = [exact.sigmoid(mpmath.mpf(s)) * exact.sigmoid(-mpmath.mpf(s)) for s in a.tolist()]
        if name == "symmoline":
            expert = [mpmath.mpf(1)] * len(a)
        # half the covariance of the scores, whose difference is 2y (symmoline) or y, and 1
        gap = 2 * y if name == "symmoline" else y
        truths = [
            (complete[0], [x / 2 for x in expert], 0.0),
            (complete[1], [x / 2 for x in gate], 0.0),
            (missing[0], [s * g * g / 2 for s, g in zip(spread, gap.tolist())], 1.0),
            (missing[1], [s * g / 2 for s, g in zip(spread, gap.tolist())], 1.0),
            (missing[2], [s / 2 for s in spread], 1.0),
        ]
    for actual, true, posterior in truths:
        size = np.abs(np.array(true, float))
        relative = 20 * U + posterior * _logit_error(name, a, b, y)
        assert _worst(actual, true, size * relative) <= 1


@pytest.mark.parametrize("n", ROWS)
def test_softplus_rows(n):
    b = 8.0 * _sample(n, 1)[0][0]
    value, mean, variance = np.full((3, n), np.nan)
    run_rows(softplus_rows, n, b, value, mean, variance)
    np.testing.assert_allclose(value, np.logaddexp(0.0, b), rtol=20 * U)
    np.testing.assert_allclose(mean, expit(b), rtol=20 * U)
    np.testing.assert_allclose(variance, expit(b) * expit(-b), rtol=20 * U)
