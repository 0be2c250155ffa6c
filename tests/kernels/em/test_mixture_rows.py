"""Kernels of softmax gates and Gaussian experts against plain NumPy and 50-digit sums."""

import mpmath
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from emmd.kernels.em.gaussian_mixture import HEAD, SCALARS, e_step_rows, solve_experts
from emmd.kernels.maths.softmax import WORK_ROWS, block_log_softmax
from emmd.kernels.rows.blocks import BLOCK
from emmd.kernels.rows.reduce import sum_rows
from emmd.kernels.solvers.multinomial import assemble_hessian, softmax_rows
from tests.kernels.rows.test_rows import U, _blocks, _close, _upper

pytestmark = pytest.mark.kernels

SIZES = [(1, 1, 2), (255, 3, 2), (257, 4, 3), (600, 5, 4)]


def _sample(n, d, K):
    rng = np.random.default_rng([n, d, K])
    XT, W = rng.standard_normal((d, n)), rng.standard_normal((K - 1, d))
    r = rng.dirichlet(np.ones(K), n).T.copy()
    return XT, W, r, rng.uniform(0.1, 1.0, n), rng


def _gate(XT, W, r, c):
    """Return gradient and Hessian of the gate's loss, with bounds of their terms."""
    free = len(W)
    p = np.exp(log_softmax(np.vstack([W @ XT, np.zeros(XT.shape[1])]), axis=0))
    gradient = np.concatenate([XT @ (c * (p[k] - r[k])) for k in range(free)])
    blocks = [[(XT * c * p[j] * ((j == k) - p[k])) @ XT.T for k in range(free)] for j in range(free)]
    sizes = np.tile(np.abs(XT) @ c, free), np.tile((np.abs(XT) * c) @ np.abs(XT).T, (free, free))
    return (gradient, sizes[0]), (_upper(np.block(blocks)), _upper(sizes[1]))


@pytest.mark.parametrize(("n", "d", "K"), SIZES)
def test_softmax_regression(n, d, K):
    XT, W, r, c, _ = _sample(n, d, K)
    free = K - 1
    gradient, hessian = _gate(XT, W, r, c)
    alone = sum_rows(softmax_rows, n, free * d, _blocks(XT), W, r, c)
    _close(alone, *gradient)
    width = free * d + free * K // 2 * (d * (d + 1) // 2)
    both = assemble_hessian(sum_rows(softmax_rows, n, width, _blocks(XT), W, r, c), free, d)
    _close(both[: free * d], *gradient)
    _close(both[free * d :], *hessian)


@pytest.mark.parametrize("size", [1.0, 40.0, 1e4])
def test_log_softmax_at_any_size(size):
    rng = np.random.default_rng(0)
    values = np.zeros((3, BLOCK))
    values[:, :40] = size * rng.standard_normal((3, 40))
    given, p, scratch = values[:, :40].copy(), np.zeros((3, BLOCK)), np.full((WORK_ROWS, BLOCK), np.nan)
    block_log_softmax(values, p, 40, scratch, values[:0])
    with mpmath.workdps(50):
        for i in range(40):
            exact = [mpmath.mpf(float(v)) for v in given[:, i]]
            total = mpmath.log(sum(mpmath.exp(v) for v in exact))
            for k in range(3):
                true = exact[k] - total
                # the difference to the largest is rounded once, and so is each of the two sums
                budget = 8 * U * (abs(exact[k] - max(exact)) + 1)
                assert abs(mpmath.mpf(float(values[k, i])) - true) <= budget
                assert (
                    abs(mpmath.mpf(float(p[k, i])) - mpmath.exp(true))
                    <= 2 * budget * mpmath.exp(true) + 1e-307
                )
            assert abs(mpmath.mpf(float(scratch[0, i])) - total) <= 4 * U * (abs(total) + 1)


def _run(XT, y, c, coef, log_variance, W, constant=False, start=None):
    K, d = coef.shape
    XB, r = _blocks(XT), np.full((K, len(y)), np.nan)
    gate = (np.zeros((K - 1, 0)), W[:, 0].copy()) if constant else (W, np.zeros(K - 1))
    d_gate = gate[0].shape[1]
    of_experts = (SCALARS + d) * K + (K - 1) * (d * (d + 1) // 2)
    of_gate = (K - 1) * d_gate + K * (K - 1) // 2 * (d_gate * (d_gate + 1) // 2)
    sums = sum_rows(
        e_step_rows,
        len(y),
        HEAD + of_experts + of_gate,
        XB,
        XB[:, :d_gate].copy(),
        y,
        c,
        coef,
        log_variance,
        *gate,
        gate[0] if start is None else start,
        r,
    )
    return sums[:HEAD], sums[HEAD : HEAD + of_experts], sums[HEAD + of_experts :], r


def test_two_probabilities_are_at_most_one_and_as_accurate_as_the_lead():
    leads = np.concatenate([np.linspace(-800.0, 800.0, 128), np.linspace(-3.0, 3.0, 128)])
    values, p, scratch = np.zeros((2, BLOCK)), np.zeros((2, BLOCK)), np.full((WORK_ROWS, BLOCK), np.nan)
    values[0] = leads
    block_log_softmax(values, p, BLOCK, scratch, values[:0])
    assert (p <= 1.0).all()
    with mpmath.workdps(50):
        for i, lead in enumerate(leads.tolist()):
            for k, sign in ((0, 1), (1, -1)):
                true = 1 / (1 + mpmath.exp(-sign * mpmath.mpf(lead)))
                # the exponential adds 2.2 U, the quotient taken out of a common one seven roundings
                assert abs(mpmath.mpf(float(p[k, i])) - true) <= 10 * U * true + 1e-307


@pytest.mark.parametrize(("constant", "moved"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize(("n", "d", "K"), SIZES)
def test_gaussian_e_step(n, d, K, constant, moved):
    XT, W, _, c, rng = _sample(n, d, K)
    coef, log_variance, y = rng.standard_normal((K, d)), rng.standard_normal(K), rng.standard_normal(n)
    begins = W + 0.3 * rng.standard_normal(W.shape) if moved else None
    head, experts, gate, r = _run(XT, y, c, coef, log_variance, W, constant, begins)
    logits = np.broadcast_to(W[:, :1], (K - 1, n)) if constant else W @ XT
    log_p = log_softmax(np.vstack([logits, np.zeros(n)]), axis=0)
    rest = y - coef @ XT
    half = 0.5 * log_variance[:, None]
    joint = log_p - 0.5 * rest**2 * np.exp(-2 * half) - half - 0.5 * np.log(2 * np.pi)
    expected = np.exp(joint - logsumexp(joint, axis=0))
    np.testing.assert_allclose(r, expected, rtol=1e-12, atol=1e-300)
    rows = logsumexp(joint, axis=0)
    _close(head, [-c @ rows], c @ (1 + np.abs(rows)))
    weight = c * r
    for k in range(K):
        scalars = weight[k].sum(), weight[k] @ rest[k] ** 2, weight[k] @ y**2
        _close(experts[SCALARS * k : SCALARS * (k + 1)], scalars, np.array(scalars))
        start = SCALARS * K + k * d
        _close(
            experts[start : start + d], XT @ (weight[k] * rest[k]), np.abs(XT) @ np.abs(weight[k] * rest[k])
        )
    grams = experts[(SCALARS + d) * K :].reshape(K - 1, -1)
    for k in range(K - 1):
        _close(grams[k], _upper((XT * weight[k]) @ XT.T), _upper((np.abs(XT) * weight[k]) @ np.abs(XT).T))
    if constant:
        assert gate.size == 0
    else:
        at = begins if moved else W
        for actual, pair in zip(
            np.split(assemble_hessian(gate, K - 1, d), [(K - 1) * d]), _gate(XT, at, r, c)
        ):
            _close(actual, *pair)


def _fit(K=3, n=400, d=3, noise=0.3, same=False):
    rng = np.random.default_rng(8)
    XT, c = rng.standard_normal((d, n)), rng.uniform(0.5, 1.0, n)
    c /= c.sum()
    truth = 2.0 * rng.standard_normal((K, d))
    truth = np.broadcast_to(truth[0], truth.shape) if same else truth
    y = np.einsum("kd,dn->kn", truth, XT)[rng.integers(K, size=n), np.arange(n)]
    y += noise * rng.standard_normal(n)
    W = 0.5 * rng.standard_normal((K - 1, d))
    second_moment = (XT * c) @ XT.T
    scale = np.sqrt(np.diag(second_moment))
    start = truth + 0.1 * rng.standard_normal((K, d))
    _, experts, _, r = _run(XT, y, c, start, np.full(K, -2.0), W)
    fitted, report = np.empty_like(start), np.empty((K, 5))
    solve_experts(experts, second_moment, scale, start, fitted, report)
    return XT, y, c * r, fitted, report


def test_experts_are_fitted_by_weighted_least_squares():
    XT, y, weight, fitted, report = _fit()
    for w, row, (square, residual, pivot, kept, mass) in zip(weight, fitted, report):
        root = np.sqrt(w)
        expected, *_ = np.linalg.lstsq((XT * root).T, y * root)
        np.testing.assert_allclose(row, expected, rtol=1e-11)
        assert square == pytest.approx(w @ (y - row @ XT) ** 2 / w.sum(), rel=1e-12)
        assert residual < 1e-14
        assert pivot > 0.01
        assert kept > 1e-2
        assert mass == pytest.approx(w.sum(), rel=1e-14)


def test_an_exact_fit_admits_that_its_variance_has_no_digits():
    fitted, report = _fit(noise=0.0, same=True)[-2:]
    np.testing.assert_allclose(fitted, np.broadcast_to(fitted[0], fitted.shape), rtol=1e-10)
    assert (report[:, 3] < 1e-10).all()
