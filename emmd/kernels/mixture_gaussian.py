"""Kernels of K Gaussian experts with a softmax gate: E-step and everything the M-step needs in one pass.

Experts are fitted by their steps: with residuals at the old coefficients, the weighted moments of the
residuals are the gradients, and what the step gains is subtracted from their mean squares. Near an optimum
nothing cancels, however small the variance is beside y^2.
"""

import math

import numpy as np

from emmd.kernels._jit import allocating, kernel
from emmd.kernels.cholesky import cholesky, cholesky_solve
from emmd.kernels.gram import block_gram, packed
from emmd.kernels.largest import largest_modulus
from emmd.kernels.linear import block_moment_all, block_predict_all
from emmd.kernels.reduce import BLOCK, CHUNK
from emmd.kernels.softmax_regression import SPARE, block_gate_sums, block_log_softmax, block_logits
from emmd.kernels.weights import place_of
from emmd.kernels.work import block_rows

_PER_CHUNK = CHUNK // BLOCK
HALF_LOG_2PI = 0.9189385332046727
HEAD = 1
"""Sums before those of the experts: the loss."""

SCALARS = 3
"""Sums of each expert beside its moments: mass, weighted squares of the residuals and of y."""


@kernel
def _log_joint(y, half_precision, half_log_variance, log_p, m, rest, joint):
    """Turn predictions into residuals in place; write ``log p + log density`` without its constant."""
    for i in range(m):
        rest[i] = y[i] - rest[i]
        joint[i] = log_p[i] - half_precision * rest[i] * rest[i] - half_log_variance


@kernel
def _loss(c, evidence, m):
    total = 0.0
    for i in range(m):
        total += c[i] * (HALF_LOG_2PI - evidence[i])
    return total


@kernel
def _weigh(c, y, posterior, p, m, r, weight, slope, rest, sums):
    """Write responsibilities, ``c r`` and ``c (p - r)``, and weigh the residuals.

    Mass and the weighted squares of residuals and of y are added to `sums`.
    """
    mass = squares = targets = 0.0
    for i in range(m):
        share, error = c[i] * posterior[i], rest[i]
        r[i] = posterior[i]
        weight[i] = share
        slope[i] = c[i] * (p[i] - posterior[i])
        rest[i] = share * error
        mass += share
        squares += share * error * error
        targets += share * y[i] * y[i]
    sums[0] += mass
    sums[1] += squares
    sums[2] += targets


@allocating
def e_step_rows(first, last, partials, XB, GB, y, c, coef, log_variance, W, offset, r):
    """Chunk kernel: write the responsibilities r, shape (K, n); sum what the M-step needs.

    Parameters
    ----------
    XB, GB : ndarray of shape (blocks, d, BLOCK)
        Features of experts and gate; a constant gate has none, and its logits in `offset`.
    coef : ndarray of shape (K, d)
    log_variance : ndarray of shape (K,)
    W : ndarray of shape (K - 1, d_gate)
    offset : ndarray of shape (K - 1,)

    Notes
    -----
    Sums: loss; (mass, squares of residuals, squares of y) of each expert; moments of the
    residuals (K d); packed Gram matrices of all experts but the last; the gate's sums, see `softmax_rows`.
    """
    K = len(coef)
    work, half_precision = block_rows(5 * K + SPARE), 0.5 * np.exp(-log_variance)
    _add_blocks(first, last, partials, XB, GB, y, c, coef, log_variance, half_precision, W, offset, r, work)


@kernel
def _add_blocks(first, last, partials, XB, GB, y, c, coef, log_variance, half_precision, W, offset, r, work):
    K, d = coef.shape
    n = y.shape[0]
    width = d * (d + 1) // 2
    of_experts = (SCALARS + d) * K + (K - 1) * width
    rest, joint, posterior = work[:K], work[K : 2 * K], work[2 * K : 3 * K]
    log_p, p, spare = work[3 * K : 4 * K], work[4 * K : 5 * K], work[5 * K :]
    # arrays that take turns: with the features these fill the first-level cache
    slopes, weight = joint, spare[0]
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        sums = partials[block // _PER_CHUNK]
        lo = block * BLOCK
        m = min(BLOCK, n - lo)
        weights = c[place_of(c.shape[0], lo) :]
        block_logits(GB[block], W, offset, m, log_p)
        block_log_softmax(log_p, p, m, spare)
        block_predict_all(XB[block], coef, m, rest)
        for k in range(K):
            _log_joint(y[lo:], half_precision[k], 0.5 * log_variance[k], log_p[k], m, rest[k], joint[k])
        block_log_softmax(joint, posterior, m, spare)
        sums[0] += _loss(weights, spare[0], m)
        for k in range(K):
            own = sums[HEAD + SCALARS * k : HEAD + SCALARS * (k + 1)]
            _weigh(weights, y[lo:], posterior[k], p[k], m, r[k, lo:], weight, slopes[k], rest[k], own)
            # the last Gram matrix is what the others leave of the total
            if k < K - 1:
                start = HEAD + (SCALARS + d) * K + k * width
                block_gram(XB[block], weight, m, sums[start : start + width])
        block_moment_all(XB[block], rest, m, sums[HEAD + SCALARS * K : HEAD + (SCALARS + d) * K])
        start = HEAD + of_experts
        middle = start + (K - 1) * GB.shape[1]
        block_gate_sums(GB[block], p, slopes, weights, m, sums[start:middle], sums[middle:], spare[0])


@kernel
def _expert_gram(sums, second_moment, k, K, d, out):
    """Write the Gram matrix of expert k, shape (d, d); the last one is the total less the others."""
    width = d * (d + 1) // 2
    start = (SCALARS + d) * K
    for u in range(d):
        for v in range(u, d):
            place = start + packed(d, u, v)
            if k < K - 1:
                value = sums[place + k * width]
            else:
                value = second_moment[u, v]
                for other in range(K - 1):
                    value -= sums[place + other * width]
            out[u, v] = value
            out[v, u] = value


@allocating
def solve_experts(sums, second_moment, scale, coef, fitted, report):
    """Fit every expert by weighted least squares from the sums of `e_step_rows`, less their head.

    Parameters
    ----------
    sums : ndarray
    second_moment : ndarray of shape (d, d)
    scale : ndarray of shape (d,)
    coef : ndarray of shape (K, d)
        Where the sums were taken.
    fitted : ndarray of shape (K, d)
        The coefficients are written here.
    report : ndarray of shape (K, 4)
        Mean square residual, scaled residual of the normal equations, smallest squared pivot, and the share
        of digits kept: the least of mass, mean square over that before the step, and 1 / 100 of the squares
        of y over those of the residuals.
    """
    K, d = coef.shape
    gram, factor = np.empty((d, d)), np.zeros((d, d))
    rest, step, gradient = np.empty(d), np.empty(d), np.empty(d)
    for k in range(K):
        mass, squares, targets = sums[SCALARS * k], sums[SCALARS * k + 1], sums[SCALARS * k + 2]
        _expert_gram(sums, second_moment, k, K, d, gram)
        for u in range(d):
            rest[u] = sums[SCALARS * K + k * d + u] / (mass * scale[u])
            step[u] = 0.0
            for v in range(d):
                gram[u, v] /= mass * scale[u] * scale[v]
        pivot = cholesky(gram, factor)
        gain = _refined_step(gram, factor, rest, gradient, step)
        size = math.sqrt(targets / mass)
        for u in range(d):
            fitted[k, u] = coef[k, u] + step[u] / scale[u]
        report[k, 0] = squares / mass - gain
        report[k, 1] = largest_modulus(rest) / (size if size > 0.0 else 1.0)
        report[k, 2] = pivot
        kept = min(report[k, 0] * mass, 0.01 * targets) / squares
        report[k, 3] = min(kept, mass) if k == K - 1 else kept


@kernel
def _refined_step(gram, factor, rest, gradient, step):
    """Solve ``gram step = rest`` with one refinement; leave the residual in `rest`, return the gain."""
    d = step.shape[0]
    for u in range(d):
        gradient[u] = rest[u]
    for _ in range(2):
        cholesky_solve(factor, rest)
        for u in range(d):
            step[u] += rest[u]
        for u in range(d):
            image = 0.0
            for v in range(d):
                image += gram[u, v] * step[v]
            rest[u] = gradient[u] - image
    gain = 0.0
    for u in range(d):
        gain += gradient[u] * step[u]
    return gain
