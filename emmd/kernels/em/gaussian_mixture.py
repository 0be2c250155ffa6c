"""Kernels of K Gaussian experts with a softmax gate: E-step and everything the M-step needs in one pass.

Experts are fitted by their steps: with residuals at the old coefficients, the weighted moments of the
residuals are the gradients, and what the step gains is subtracted from their mean squares. Near an optimum
nothing cancels, however small the variance is beside y^2.
"""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding, in_shares, inlined, kernel, named_after, scalar
from emmd.kernels.em.mixture_image import (
    KEPT,
    MASS,
    PIVOT,
    REPORT,
    RESIDUAL,
    SQUARE,
    write_constant_gate,
    write_experts,
    write_gate,
)
from emmd.kernels.linear.gram import block_gram, packed
from emmd.kernels.linear.predictors import block_moment_all, block_predict_all
from emmd.kernels.maths.cholesky import cholesky, cholesky_solve
from emmd.kernels.maths.softmax import WORK_ROWS, block_log_softmax, block_logits
from emmd.kernels.maths.vectors import differ, largest_modulus
from emmd.kernels.rows.blocks import BLOCK, PER_CHUNK, block_rows, end_block, rows_of_block
from emmd.kernels.rows.prefetch import fetched, following, with_rows
from emmd.kernels.rows.reduce import add_up, in_turn
from emmd.kernels.solvers.logistic import shared_solve_logistics, solve_logistics
from emmd.kernels.solvers.multinomial import (
    assemble_hessian,
    block_gate_sums,
    gate_slopes,
    shared_solve_softmax,
    solve_softmax,
)

HALF_LOG_2PI = 0.9189385332046727
HEAD = 1
"""Sums before those of the experts: the loss."""

SCALARS = 3
"""Sums of each expert beside its moments: mass, weighted squares of the residuals and of y."""


@inlined
def _log_joint(y, half_precision, half_log_variance, log_p, m, rest, joint):
    """Turn predictions into residuals in place; write ``log p + log density`` without its constant."""
    for i in range(m):
        rest[i] = y[i] - rest[i]
        joint[i] = log_p[i] - half_precision * rest[i] * rest[i] - half_log_variance


@inlined
def _loss(c, evidence, m):
    total = 0.0
    for i in range(m):
        total += c[i] * (HALF_LOG_2PI - evidence[i])
    return total


@inlined
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
def e_step_rows(first, last, partials, XB, GB, y, c, coef, log_variance, W, offset, start, r):
    """Chunk kernel: write the responsibilities r, shape (K, n); sum what the M-step needs.

    Parameters
    ----------
    XB, GB : ndarray of shape (blocks, d, BLOCK)
        Features of experts and gate; a constant gate has none, and its logits in `offset`.
    coef : ndarray of shape (K, d)
    log_variance : ndarray of shape (K,)
    W, start : ndarray of shape (K - 1, d_gate)
        The E-step is taken at W, the gate's sums at the start.
    offset : ndarray of shape (K - 1,)

    Notes
    -----
    Sums: loss; (mass, squares of residuals, squares of y) of each expert; moments of the
    residuals (K d); packed Gram matrices of all experts but the last; the gate's sums, see `softmax_rows`.
    """
    K = len(coef)
    work, half_precision = block_rows(5 * K + WORK_ROWS), 0.5 * np.exp(-log_variance)
    experts, gate = (coef, log_variance, half_precision), (W, offset, start)
    _add_blocks(first, last, partials, XB, GB, y, c, experts, gate, r, work)


@kernel
def _add_blocks(first, last, partials, XB, GB, y, c, experts, gate, r, work):
    coef, log_variance, half_precision = experts
    W, offset, start = gate
    K, d = coef.shape
    n = y.shape[0]
    width = d * (d + 1) // 2
    apart = False
    for k in range(K - 1):
        apart = apart or differ(W[k], start[k])
    # mostly both are the same features, of which each step fetches others
    rows, gate_rows = with_rows(fetched(XB), True), with_rows(fetched(GB), True)
    grams = (fetched(XB) - rows) // 2
    gate_grams = gate_rows + (fetched(GB) - gate_rows) // 2
    of_experts = (SCALARS + d) * K + (K - 1) * width
    rest, joint, posterior = work[:K], work[K : 2 * K], work[2 * K : 3 * K]
    log_p, p, scratch = work[3 * K : 4 * K], work[4 * K : 5 * K], work[5 * K :]
    # arrays that take turns: with the features these fill the first-level cache
    slopes, weight = joint, scratch[0]
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        sums = partials[block // PER_CHUNK]
        lo, after = block * BLOCK, following(block, XB)
        m = rows_of_block(lo, n)
        weights = c[lo:]
        block_logits(GB[block], W, offset, m, log_p)
        block_log_softmax(log_p, p, m, scratch, GB[after, : gate_rows // 2])
        block_predict_all(XB[block], coef, m, rest)
        for k in range(K):
            _log_joint(y[lo:], half_precision[k], 0.5 * log_variance[k], log_p[k], m, rest[k], joint[k])
        block_log_softmax(joint, posterior, m, scratch, XB[after, rows // 2 : rows])
        sums[0] += _loss(weights, scratch[0], m)
        for k in range(K):
            own = sums[HEAD + SCALARS * k : HEAD + SCALARS * (k + 1)]
            _weigh(weights, y[lo:], posterior[k], p[k], m, r[k, lo:], weight, slopes[k], rest[k], own)
            # the last Gram matrix is what the others leave of the total
            if k < K - 1:
                place = HEAD + (SCALARS + d) * K + k * width
                meanwhile = XB[after, rows + grams * k // (K - 1) : rows + grams * (k + 1) // (K - 1)]
                block_gram(XB[block], weight, m, sums[place : place + width], meanwhile)
        block_moment_all(XB[block], rest, m, sums[HEAD + SCALARS * K : HEAD + (SCALARS + d) * K])
        if apart:
            block_logits(GB[block], start, offset, m, log_p)
            block_log_softmax(log_p, p, m, scratch, GB[after, :0])
            for k in range(K - 1):
                gate_slopes(weights, p[k], r[k, lo:], m, slopes[k])
        middle = HEAD + of_experts + (K - 1) * GB.shape[1]
        gradient, blocks = sums[HEAD + of_experts : middle], sums[middle:]
        meanwhile = GB[after, gate_grams : fetched(GB)]
        block_gate_sums(GB[block], p, slopes, weights, m, gradient, blocks, scratch[0], meanwhile)


@deciding
def expert_gram(sums, second_moment, k, K, d, out):
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
    report : ndarray of shape (K, REPORT)
        See `emmd.kernels.em.mixture_image`. The share of digits kept is the least of mass, mean square over
        that before the step, and 1 / 100 of the squares of y over those of the residuals.
    """
    K, d = coef.shape
    gram, factor = np.empty((d, d)), np.zeros((d, d))
    rest, step, gradient = np.empty(d), np.empty(d), np.empty(d)
    for k in range(K):
        mass, squares, targets = sums[SCALARS * k], sums[SCALARS * k + 1], sums[SCALARS * k + 2]
        expert_gram(sums, second_moment, k, K, d, gram)
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
        report[k, SQUARE] = squares / mass - gain
        report[k, RESIDUAL] = largest_modulus(rest) / (size if size > 0.0 else 1.0)
        report[k, PIVOT] = pivot
        kept = min(report[k, SQUARE] * mass, 0.01 * targets) / squares
        report[k, KEPT] = min(kept, mass) if k == K - 1 else kept
        report[k, MASS] = mass


@deciding
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


def sums_width(K, d, d_gate):
    """Return how many sums come before those of the gate, and how many there are."""
    before = HEAD + (SCALARS + d) * K + (K - 1) * (d * (d + 1) // 2)
    return before, before + (K - 1) * d_gate + (K - 1) * K // 2 * (d_gate * (d_gate + 1) // 2)


_sums_width = scalar(sums_width)


@allocating
def parts_of(theta, K, d, d_gate, known):
    """Return coefficients (K, d), log variances (K,), the gate's weights (K - 1, d_gate) and offsets.

    Parameters
    ----------
    theta : ndarray of shape (p,)
        Coefficients, then log variances, none, one or K, then the gate, see `emmd.MixtureOfExperts`.
    K, d, d_gate : int
        A constant gate has no features.
    known : float
        The log variance where theta has none.
    """
    gate_begins = theta.shape[0] - (K - 1) * max(d_gate, 1)
    spread = theta[K * d : gate_begins]
    log_variance, offset = np.empty(K), np.zeros(K - 1)
    for k in range(K):
        log_variance[k] = spread[k % spread.shape[0]] if spread.shape[0] > 0 else known
    W = theta[gate_begins : gate_begins + (K - 1) * d_gate].reshape(K - 1, d_gate)
    if d_gate == 0:
        for k in range(K - 1):
            offset[k] = theta[gate_begins + k]
    return theta[: K * d].reshape(K, d), log_variance, W, offset


def em_step_of(e_step, solve_gate):
    """Return the kernel of the EM map: E-step, the experts' and the gate's exact M-steps.

    Parameters
    ----------
    e_step, solve_gate : kernel
        `e_step_rows`, and what solves the gate's regression, in turn or in shares.

    Returns
    -------
    kernel
        ``(edges, partials, XB, GB, y, c, moments, theta, start, variances, r, image) -> residual, curvature,
        iterations``, the last of the gate's M-step, which begins at `start`. The sums of `e_step_rows` are
        left in the first row of `partials`, zeros before. Moments are E[xx'] and scale of
        the experts' features, scale and crest factor of the gate's; variances the known log variance and one
        that counts as zero. The image of theta is written to `image`. The residual is infinite where these
        sums do not determine the M-step, see `write_experts`.
    """

    @allocating
    @named_after(e_step, solve_gate)
    def em_step(edges, partials, XB, GB, y, c, moments, theta, start, variances, r, image):
        second_moment, scale, gate_scale, gate_crest = moments
        K, d, d_gate = r.shape[0], XB.shape[1], GB.shape[1]
        coef, log_variance, W, offset = parts_of(theta, K, d, d_gate, variances[0])
        gate_begins = theta.shape[0] - (K - 1) * max(d_gate, 1)
        begin = start[gate_begins : gate_begins + (K - 1) * d_gate]
        before, _ = _sums_width(K, d, d_gate)
        gate_start = begin.reshape(K - 1, d_gate)
        e_step(edges, partials, XB, GB, y, c, coef, log_variance, W, offset, gate_start, r)
        add_up(partials)
        sums = partials[0]
        fitted, report = np.empty((K, d)), np.empty((K, REPORT))
        solve_experts(sums[HEAD:], second_moment, scale, coef, fitted, report)
        residual, curvature = write_experts(fitted, report, variances[1], image[:gate_begins])
        if d_gate == 0:
            write_constant_gate(report, image[gate_begins:])
            return residual, min(curvature, 1.0), 1.0
        at_first = assemble_hessian(sums[before:], K - 1, d_gate)
        states, vectors = solve_gate(edges, GB, r[: K - 1], c, gate_scale, gate_crest, begin, at_first)
        return write_gate(states[0], vectors, residual, curvature, image[gate_begins:])

    return em_step


_IN_TURN, _IN_SHARES = in_turn(e_step_rows), in_shares(e_step_rows)
em_step_two, shared_em_step_two = (
    em_step_of(_IN_TURN, solve_logistics),
    em_step_of(_IN_SHARES, shared_solve_logistics),
)
"""The EM map of two experts, by threads taking turns and sharing."""
em_step, shared_em_step = em_step_of(_IN_TURN, solve_softmax), em_step_of(_IN_SHARES, shared_solve_softmax)
"""The same for any number of experts."""
