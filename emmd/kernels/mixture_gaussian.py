"""Kernels of K Gaussian experts with a softmax gate: E-step and everything the M-step needs in one pass.

Experts are fitted by their steps: with residuals at the old coefficients, the weighted moments of the
residuals are the gradients, and what the step gains is subtracted from their mean squares. Near an optimum
nothing cancels, however small the variance is beside y^2.
"""

import math

import numpy as np

from emmd.kernels import newton
from emmd.kernels._jit import allocating, in_shares, kernel, named_after
from emmd.kernels.ahead import fetched, following, with_rows
from emmd.kernels.cholesky import cholesky, cholesky_solve
from emmd.kernels.gram import block_gram, packed
from emmd.kernels.largest import largest_modulus
from emmd.kernels.linear import block_moment_all, block_predict_all
from emmd.kernels.logistic_regression import shared_solve_logistics, solve_logistics
from emmd.kernels.reduce import BLOCK, CHUNK, in_turn, total
from emmd.kernels.softmax import SPARE, block_log_softmax, block_logits
from emmd.kernels.softmax_regression import (
    assemble_hessian,
    block_gate_sums,
    gate_slopes,
    shared_solve_softmax,
    solve_softmax,
)
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
def e_step_rows(first, last, partials, XB, GB, y, c, coef, log_variance, W, offset, start, moved, r):
    """Chunk kernel: write the responsibilities r, shape (K, n); sum what the M-step needs.

    Parameters
    ----------
    XB, GB : ndarray of shape (blocks, d, BLOCK)
        Features of experts and gate; a constant gate has none, and its logits in `offset`.
    coef : ndarray of shape (K, d)
    log_variance : ndarray of shape (K,)
    W, start : ndarray of shape (K - 1, d_gate)
    offset : ndarray of shape (K - 1,)
    moved : bool
        Whether the gate's sums are to be those at `start` and not at W.

    Notes
    -----
    Sums: loss; (mass, squares of residuals, squares of y) of each expert; moments of the
    residuals (K d); packed Gram matrices of all experts but the last; the gate's sums, see `softmax_rows`.
    """
    K = len(coef)
    work, half_precision = block_rows(5 * K + SPARE), 0.5 * np.exp(-log_variance)
    experts, gate = (coef, log_variance, half_precision), (W, offset, start, moved)
    _add_blocks(first, last, partials, XB, GB, y, c, experts, gate, r, work)


@kernel
def _add_blocks(first, last, partials, XB, GB, y, c, experts, gate, r, work):
    coef, log_variance, half_precision = experts
    W, offset, start, moved = gate
    K, d = coef.shape
    n = y.shape[0]
    width = d * (d + 1) // 2
    # mostly both are the same features, of which each step fetches others
    rows, gate_rows = with_rows(fetched(XB), True), with_rows(fetched(GB), True)
    grams = (fetched(XB) - rows) // 2
    gate_grams = gate_rows + (fetched(GB) - gate_rows) // 2
    of_experts = (SCALARS + d) * K + (K - 1) * width
    rest, joint, posterior = work[:K], work[K : 2 * K], work[2 * K : 3 * K]
    log_p, p, spare = work[3 * K : 4 * K], work[4 * K : 5 * K], work[5 * K :]
    # arrays that take turns: with the features these fill the first-level cache
    slopes, weight = joint, spare[0]
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        sums = partials[block // _PER_CHUNK]
        lo, after = block * BLOCK, following(block, XB)
        m = min(BLOCK, n - lo)
        weights = c[place_of(c.shape[0], lo) :]
        block_logits(GB[block], W, offset, m, log_p)
        block_log_softmax(log_p, p, m, spare, GB[after, : gate_rows // 2])
        block_predict_all(XB[block], coef, m, rest)
        for k in range(K):
            _log_joint(y[lo:], half_precision[k], 0.5 * log_variance[k], log_p[k], m, rest[k], joint[k])
        block_log_softmax(joint, posterior, m, spare, XB[after, rows // 2 : rows])
        sums[0] += _loss(weights, spare[0], m)
        for k in range(K):
            own = sums[HEAD + SCALARS * k : HEAD + SCALARS * (k + 1)]
            _weigh(weights, y[lo:], posterior[k], p[k], m, r[k, lo:], weight, slopes[k], rest[k], own)
            # the last Gram matrix is what the others leave of the total
            if k < K - 1:
                place = HEAD + (SCALARS + d) * K + k * width
                meanwhile = XB[after, rows + grams * k // (K - 1) : rows + grams * (k + 1) // (K - 1)]
                block_gram(XB[block], weight, m, sums[place : place + width], meanwhile)
        block_moment_all(XB[block], rest, m, sums[HEAD + SCALARS * K : HEAD + (SCALARS + d) * K])
        if moved:
            block_logits(GB[block], start, offset, m, log_p)
            block_log_softmax(log_p, p, m, spare, GB[after, :0])
            for k in range(K - 1):
                gate_slopes(weights, p[k], r[k, lo:], m, slopes[k])
        middle = HEAD + of_experts + (K - 1) * GB.shape[1]
        gradient, blocks = sums[HEAD + of_experts : middle], sums[middle:]
        meanwhile = GB[after, gate_grams : fetched(GB)]
        block_gate_sums(GB[block], p, slopes, weights, m, gradient, blocks, spare[0], meanwhile)


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
    report : ndarray of shape (K, 5)
        Mean square residual, scaled residual of the normal equations, smallest squared pivot, the share
        of digits kept: the least of mass, mean square over that before the step, and 1 / 100 of the squares
        of y over those of the residuals; and the mass.
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
        report[k, 4] = mass


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


@kernel
def sums_width(K, d, d_gate):
    """Return how many sums come before those of the gate, and how many there are."""
    before = HEAD + (SCALARS + d) * K + (K - 1) * (d * (d + 1) // 2)
    return before, before + (K - 1) * d_gate + (K - 1) * K // 2 * (d_gate * (d_gate + 1) // 2)


def em_step_of(e_step, solve_gate):
    """Return the kernel of the EM map: E-step, the experts' and the gate's exact M-steps.

    Parameters
    ----------
    e_step, solve_gate : kernel
        `e_step_rows`, and what solves the gate's regression, in turn or in shares.

    Returns
    -------
    kernel
        ``(edges, XB, GB, y, c, (coef, log_variance), (W, offset, start, moved), (second_moment, scale,
        gate_scale, gate_crest), r, (fitted, fitted_gate), report) -> loss, residual, curvature, iterations``,
        the last three of the gate's M-step, which begins at `start` where `moved`. See `e_step_rows` and
        `solve_experts`; the gate's solution is written to `fitted_gate`, unless the gate is constant.
    """

    @allocating
    @named_after(e_step, solve_gate)
    def em_step(edges, XB, GB, y, c, experts, gate, moments, r, solution, report):
        coef, log_variance = experts
        W, offset, start, moved = gate
        second_moment, scale, gate_scale, gate_crest = moments
        fitted, fitted_gate = solution
        K, d = coef.shape
        d_gate = W.shape[1]
        before, width = sums_width(K, d, d_gate)
        partials = np.zeros((edges[-1], width))
        e_step(edges, partials, XB, GB, y, c, coef, log_variance, W, offset, start, moved, r)
        sums = total(partials)
        solve_experts(sums[HEAD:], second_moment, scale, coef, fitted, report)
        if d_gate == 0:
            return sums[0], 0.0, 1.0, 0.0
        first = (start if moved else W).reshape(W.size)
        at_first = assemble_hessian(sums[before:], K - 1, d_gate)
        states, vectors = solve_gate(edges, GB, r[: K - 1], c, gate_scale, gate_crest, first, at_first)
        for k in range(K - 1):
            for j in range(d_gate):
                fitted_gate[k, j] = vectors[0, newton.POINT, k * d_gate + j]
        state = states[0]
        return sums[0], state[newton.RESIDUAL], state[newton.CURVATURE], state[newton.ITERATIONS]

    return em_step


_IN_TURN, _IN_SHARES = in_turn(e_step_rows), in_shares(e_step_rows)
em_step_two, shared_em_step_two = (
    em_step_of(_IN_TURN, solve_logistics),
    em_step_of(_IN_SHARES, shared_solve_logistics),
)
"""The EM map of two experts, by threads taking turns and sharing."""
em_step, shared_em_step = em_step_of(_IN_TURN, solve_softmax), em_step_of(_IN_SHARES, shared_solve_softmax)
"""The same for any number of experts."""
