"""Kernels of two symmetric linear experts: y | x, z ~ N(z x'beta, sigma^2), P(z=1|x) = sigmoid(x'w).

In units of sigma: a = x'beta, b = x'w; the log joint of (y, z) is
``log sigmoid(z b) - (y - z a)^2 / 2 - log(2 pi) / 2``.
The E-step and the marginal likelihood are written from different formulas on
purpose: the claims compare them.
"""

import numpy as np

from emmd.kernels.compile.jit import allocating, in_shares, inlined, kernel, named_after, scalar
from emmd.kernels.em.symmetric import information_sums_of, marginal_sums_of
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment_two, block_predict, block_predict_two
from emmd.kernels.maths.cholesky import cholesky_solve
from emmd.kernels.maths.elementary import (
    at_most_one,
    exp_nonpositive,
    log1p,
    sigmoid,
    softplus,
    twice_atanh_third,
)
from emmd.kernels.maths.vectors import differ, larger, largest_modulus
from emmd.kernels.rows.blocks import (
    BLOCK,
    PER_CHUNK,
    block_rows,
    clear,
    copy,
    end_block,
    pad,
    rows_of_block,
)
from emmd.kernels.rows.prefetch import ROWS, STRIPS, fetch_with_strip, fetched, following, with_rows
from emmd.kernels.rows.reduce import add_up, in_turn
from emmd.kernels.solvers import newton_steps
from emmd.kernels.solvers.logistic import second_derivatives_block, shared_solve_logistics, solve_logistics

HALF_LOG_2PI = 0.9189385332046727
_WORK = 8


@inlined
def _e_step_block(a, b, y, c, p, pull, residual, curvature, upcoming):
    """Write responsibilities, ``c tau y`` and the gate's derivatives; return the loss.

    The loss is y^2/2 + a^2/2 - log cosh(b/2 + ay) + log cosh(b/2), with the large parts combined by sign:
    nothing cancels at |b| = 1e4. All quotients share one division.
    """
    loss = 0.0
    for strip in range(STRIPS):
        fetch_with_strip(upcoming, strip)
        for k in range(ROWS):
            i = strip * ROWS + k
            logit = b[i] + 2.0 * a[i] * y[i]
            t, s = exp_nonpositive(-abs(logit)), exp_nonpositive(-abs(b[i]))
            of_t, of_s, of_both = 1.0 + t, 1.0 + s, 2.0 + (s + t)
            shared = 1.0 / (of_t * of_s * of_both)
            t_inverse, s_inverse = at_most_one(of_s * of_both * shared), of_t * of_both * shared
            log_quotient = twice_atanh_third((s - t) * (of_t * of_s * shared))
            leads = logit >= 0.0
            likely = 1.0 if leads else -1.0
            rest = y[i] - likely * a[i]
            p[i] = (1.0 if leads else t) * t_inverse
            pull[i] = c[i] * y[i] * likely * (1.0 - t) * t_inverse
            residual[i] = c[i] * ((1.0 if b[i] >= 0.0 else s) * s_inverse - p[i])
            curvature[i] = c[i] * s * s_inverse * s_inverse
            against = -likely * b[i]
            switch = against if against > 0.0 else 0.0
            loss += c[i] * (HALF_LOG_2PI + 0.5 * rest * rest + switch + log_quotient)
    return loss


@scalar
def sums_width(d):
    """Return how many sums `e_step_rows` adds up."""
    return 1 + 2 * d + d * (d + 1) // 2


@allocating
def e_step_rows(first, last, partials, XB, y, c, working, start, labels):
    """Chunk kernel: write the responsibilities ``p = sigmoid(b + 2 a y)``; sum what the M-step needs.

    ``[loss]`` alone, or, where partials are as wide, ``[loss, E[tau y x] (d), gradient (d) and packed Hessian
    of the gate's loss]``, the gate's at the second half of `start`.

    Parameters
    ----------
    working, start : ndarray of shape (2d,)
    labels : ndarray of shape (1, n)
    """
    _add_blocks(first, last, partials, XB, y, c, working, start, labels[0], block_rows(np.int64(_WORK)))


@kernel
def _add_blocks(first, last, partials, XB, y, c, working, start, p, work):
    d, n = XB.shape[1], y.shape[0]
    beta, w, w_start = working[:d], working[d:], start[d:]
    apart = differ(w, w_start)
    features = fetched(XB)
    a, b, pull, residual, curvature = work[0], work[1], work[2], work[3], work[4]
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        sums = partials[block // PER_CHUNK]
        lo = block * BLOCK
        m = rows_of_block(lo, n)
        targets, weights, labels = y[lo:], c[lo:], p[lo:]
        if m < BLOCK:
            pad(targets, m, work[5])
            pad(weights, m, work[6])
            clear(a, m)
            clear(b, m)
            targets, weights, labels = work[5], work[6], work[7]
        X, upcoming = XB[block], XB[following(block, XB), :features]
        meanwhile = upcoming[: with_rows(features, sums.shape[0] > 1)]
        block_predict_two(X, beta, w, m, a, b)
        sums[0] += _e_step_block(a, b, targets, weights, labels, pull, residual, curvature, meanwhile)
        if sums.shape[0] > 1:
            if apart:
                block_predict(X, w_start, m, b)
                second_derivatives_block(b, labels, weights, residual, curvature, upcoming[:0])
            block_moment_two(X, pull, residual, m, sums[1 : 1 + d], sums[1 + d : 1 + 2 * d])
            block_gram(X, curvature, m, sums[1 + 2 * d :], upcoming[meanwhile.shape[0] :])
        if m < BLOCK:
            copy(labels, m, p[lo:])


@allocating
def solve_expert(root, second_moment, scale, dual, out):
    """Write ``E[xx']^{-1} dual`` to out; return the largest scaled residual, relative to the dual.

    Parameters
    ----------
    root : ndarray of shape (d, d)
        Cholesky factor of E[xx'] scaled by ``scale`` on both sides.
    second_moment : ndarray of shape (d, d)
    scale, dual, out : ndarray of shape (d,)
    """
    d = scale.shape[0]
    rest = np.empty(d)
    size = 1.0
    for j in range(d):
        out[j] = 0.0
        rest[j] = dual[j] / scale[j]
        # at high SNR the solution is large, and so is the rounding of E[xx'] times it
        size = larger(size, abs(rest[j]))
    # the second round is iterative refinement: it brings the residual to rounding
    for _ in range(2):
        cholesky_solve(root, rest)
        for j in range(d):
            out[j] += rest[j] / scale[j]
        for j in range(d):
            image = 0.0
            for k in range(d):
                image += second_moment[j, k] * out[k]
            rest[j] = (dual[j] - image) / scale[j]
    return largest_modulus(rest) / size


def em_step_of(e_step, solve):
    """Return the kernel of the EM map: E-step, expert's and gate's exact M-steps.

    Parameters
    ----------
    e_step, solve : kernel
        `e_step_rows` and `emmd.kernels.solvers.logistic.solve_of` its rows, in turn or in shares.

    Returns
    -------
    kernel
        ``(edges, partials, XB, y, c, scale, crest, root, second_moment, unit, theta, start, labels, out) ->
        residual, curvature, iterations``. The M-step begins at `start`; the image is written to `out`, both
        of shape (2d,), the responsibilities to `labels`, shape (1, n). The sums of `e_step_rows`, in working
        units, are left in the first row of `partials`, zeros before.
    """

    @allocating
    @named_after(e_step, solve)
    def em_step(
        edges, partials, XB, y, c, scale, crest, root, second_moment, unit, theta, start, labels, out
    ):
        d = XB.shape[1]
        working, begin = np.empty(2 * d), np.empty(2 * d)
        for j in range(2 * d):
            working[j] = unit[j] * theta[j]
            begin[j] = unit[j] * start[j]
        e_step(edges, partials, XB, y, c, working, begin, labels)
        add_up(partials)
        sums = partials[0]
        residual = solve_expert(root, second_moment, scale, sums[1 : 1 + d], out[:d])
        states, vectors = solve(edges, XB, labels, c, scale, crest, begin[d:], sums[1 + d :])
        state = states[0]
        for j in range(d):
            out[j] /= unit[j]
            out[d + j] = vectors[newton_steps.POINT, j] / unit[d + j]
        residual = larger(residual, state[newton_steps.RESIDUAL])
        return residual, state[newton_steps.CURVATURE], state[newton_steps.ITERATIONS]

    return em_step


em_step = em_step_of(in_turn(e_step_rows), solve_logistics)
shared_em_step = em_step_of(in_shares(e_step_rows), shared_solve_logistics)


@scalar
def _log_joint(a, b, y, z):
    rest = y - z * a
    return -softplus(-z * b) - 0.5 * rest * rest - HALF_LOG_2PI


@kernel
def marginal_block(a, b, y, c, slope_a, slope_b):
    """Return the weighted marginal loss of a block; write its derivatives in (a, b) of each row.

    From the log joint alone: loss = -logsumexp_z l(z); its derivative is the
    mean of -dl/d(a, b) under softmax(l), spelled out branch by branch.
    """
    loss = 0.0
    for i in range(y.shape[0]):
        plus = _log_joint(a[i], b[i], y[i], 1.0)
        minus = _log_joint(a[i], b[i], y[i], -1.0)
        loss -= c[i] * (larger(plus, minus) + log1p(exp_nonpositive(-abs(plus - minus))))
        share = sigmoid(plus - minus)
        other = sigmoid(minus - plus)
        slope_a[i] = c[i] * (other * (y[i] + a[i]) - share * (y[i] - a[i]))
        slope_b[i] = c[i] * (other * sigmoid(b[i]) - share * sigmoid(-b[i]))
    return loss


@kernel
def information_block(a, b, y, c, complete, missing):
    """Write the weighted information of each row of a block: complete ``[aa, bb]``, missing ``[aa, ab, bb]``.

    complete = diag(1, sigmoid'(b)); missing = 4 p (1 - p) [y^2, y/2; y/2, 1/4].
    """
    for i in range(y.shape[0]):
        logit = b[i] + 2.0 * a[i] * y[i]
        spread = 4.0 * c[i] * sigmoid(logit) * sigmoid(-logit)
        complete[0][i] = c[i]
        complete[1][i] = c[i] * sigmoid(b[i]) * sigmoid(-b[i])
        missing[0][i] = spread * y[i] * y[i]
        missing[1][i] = spread * 0.5 * y[i]
        missing[2][i] = spread * 0.25


marginal_sums = marginal_sums_of(marginal_block)
information_sums = information_sums_of(information_block)
