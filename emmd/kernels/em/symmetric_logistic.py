"""Kernels of two symmetric logistic experts: P(y|x,z) = sigmoid(y z x'beta), P(z=1|x) = sigmoid(x'w).

a = x'beta, b = x'w, y in {-1, +1}; the log joint of (y, z) is
``log sigmoid(z b) + log sigmoid(y z a)``.
The E-step and the marginal likelihood are written from different formulas on
purpose: the claims compare them.
"""

import numpy as np

from emmd.kernels.compile.jit import allocating, in_shares, inlined, kernel, named_after, scalar
from emmd.kernels.em.symmetric import information_sums_of, marginal_sums_of
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment_two, block_predict_two
from emmd.kernels.maths.elementary import (
    at_most_one,
    exp_nonpositive,
    log1p,
    sigmoid,
    softplus,
    twice_atanh_third,
)
from emmd.kernels.maths.vectors import differ, larger, smaller
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

_WORK = 10


@inlined
def _e_step_block(a, b, y, c, p, q, slopes, curvatures, upcoming):
    """Write the posterior of z = 1 and of yz = 1, and both logistic losses' derivatives; return the loss.

    The loss is softplus(b) + softplus(ay) - softplus(b + ay): the linear parts leave min(|b|, |a|) when the
    signs differ, and the quotient of which the logarithm is taken lies between 1/2 and 2. All quotients share
    one division.
    """
    expert_slope, expert_curvature = slopes[0], curvatures[0]
    gate_slope, gate_curvature = slopes[1], curvatures[1]
    loss = 0.0
    for strip in range(STRIPS):
        fetch_with_strip(upcoming, strip)
        for k in range(ROWS):
            i = strip * ROWS + k
            evidence = y[i] * a[i]
            logit = b[i] + evidence
            t, s, r = exp_nonpositive(-abs(logit)), exp_nonpositive(-abs(b[i])), exp_nonpositive(-abs(a[i]))
            of_t, of_s, of_r = 1.0 + t, 1.0 + s, 1.0 + r
            of_two = of_s * of_r
            of_all = of_two + of_t
            shared = 1.0 / (of_t * of_two * of_all)
            t_inverse, rest = at_most_one(of_two * of_all * shared), of_t * of_all * shared
            s_inverse, r_inverse = of_r * rest, of_s * rest
            # above the quotient's line less below it, without the ones
            log_quotient = twice_atanh_third(((s + r) + (s * r - t)) * (of_t * of_two * shared))
            p[i] = (1.0 if logit >= 0.0 else t) * t_inverse
            q[i] = (1.0 if (logit >= 0.0) == (y[i] > 0.0) else t) * t_inverse
            expert_slope[i] = c[i] * ((1.0 if a[i] >= 0.0 else r) * r_inverse - q[i])
            expert_curvature[i] = c[i] * r * r_inverse * r_inverse
            gate_slope[i] = c[i] * ((1.0 if b[i] >= 0.0 else s) * s_inverse - p[i])
            gate_curvature[i] = c[i] * s * s_inverse * s_inverse
            linear = smaller(abs(b[i]), abs(a[i])) if (b[i] >= 0.0) != (evidence >= 0.0) else 0.0
            loss += c[i] * (linear + log_quotient)
    return loss


@scalar
def sums_width(d):
    """Return how many sums `e_step_rows` adds up."""
    return 1 + 2 * (d + d * (d + 1) // 2)


@allocating
def e_step_rows(first, last, partials, XB, y, c, working, start, labels):
    """Chunk kernel: write ``labels = [P(yz = 1), P(z = 1)]``; sum what the M-step needs.

    ``[loss]`` alone, or, where partials are as wide, the loss, then gradient (d) and packed Hessian of the
    expert's loss and of the gate's, at the halves of `start`.

    Parameters
    ----------
    working, start : ndarray of shape (2d,)
    labels : ndarray of shape (2, n)
    """
    _add_blocks(first, last, partials, XB, y, c, working, start, labels, block_rows(np.int64(_WORK)))


@kernel
def _add_blocks(first, last, partials, XB, y, c, working, start, labels, work):
    d, n = XB.shape[1], y.shape[0]
    apart = differ(working, start)
    features = fetched(XB)
    a, b, slopes, curvatures = work[0], work[1], work[2:4], work[4:6]
    width = d + d * (d + 1) // 2
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        sums = partials[block // PER_CHUNK]
        lo = block * BLOCK
        m = rows_of_block(lo, n)
        targets, weights, q, p = y[lo:], c[lo:], labels[0, lo:], labels[1, lo:]
        if m < BLOCK:
            pad(targets, m, work[6])
            pad(weights, m, work[7])
            clear(a, m)
            clear(b, m)
            targets, weights, q, p = work[6], work[7], work[8], work[9]
        X, upcoming = XB[block], XB[following(block, XB), :features]
        block_predict_two(X, working[:d], working[d:], m, a, b)
        meanwhile = upcoming[: with_rows(features, sums.shape[0] > 1)]
        sums[0] += _e_step_block(a, b, targets, weights, p, q, slopes, curvatures, meanwhile)
        if sums.shape[0] > 1:
            expert, gate = sums[1 : 1 + width], sums[1 + width :]
            if apart:
                block_predict_two(X, start[:d], start[d:], m, a, b)
                second_derivatives_block(a, q, weights, slopes[0], curvatures[0], upcoming[:0])
                second_derivatives_block(b, p, weights, slopes[1], curvatures[1], upcoming[:0])
            block_moment_two(X, slopes[0], slopes[1], m, expert[:d], gate[:d])
            block_gram(X, curvatures[0], m, expert[d:], upcoming[meanwhile.shape[0] :])
            block_gram(X, curvatures[1], m, gate[d:], upcoming[:0])
        if m < BLOCK:
            copy(q, m, labels[0, lo:])
            copy(p, m, labels[1, lo:])


def em_step_of(e_step, solve):
    """Return the kernel of the EM map: E-step, then both logistic M-steps.

    Parameters
    ----------
    e_step, solve : kernel
        `e_step_rows` and `emmd.kernels.solvers.logistic.solve_of` its rows, in turn or in shares.

    Returns
    -------
    kernel
        ``(edges, partials, XB, y, c, scale, crest, unit, theta, start, labels, out) -> residual, curvature,
        iterations``. The M-step begins at `start`; the image is written to `out`, both of shape (2d,),
        P(yz = 1 | x, y) and P(z = 1 | x, y) to `labels`, shape (2, n). The sums of `e_step_rows` are left in
        the first row of `partials`, zeros before.
    """

    @allocating
    @named_after(e_step, solve)
    def em_step(edges, partials, XB, y, c, scale, crest, unit, theta, start, labels, out):
        d = XB.shape[1]
        working, begin = np.empty(2 * d), np.empty(2 * d)
        for j in range(2 * d):
            working[j] = unit[j] * theta[j]
            begin[j] = unit[j] * start[j]
        e_step(edges, partials, XB, y, c, working, begin, labels)
        add_up(partials)
        sums = partials[0]
        states, vectors = solve(edges, XB, labels, c, scale, crest, begin, sums[1:])
        residual, curvature, iterations = 0.0, np.inf, 0.0
        for k in range(2):
            for j in range(d):
                out[k * d + j] = vectors[k * newton_steps.VECTORS + newton_steps.POINT, j] / unit[k * d + j]
            residual = larger(residual, states[k, newton_steps.RESIDUAL])
            curvature = smaller(curvature, states[k, newton_steps.CURVATURE])
            iterations = larger(iterations, states[k, newton_steps.ITERATIONS])
        return residual, curvature, iterations

    return em_step


em_step = em_step_of(in_turn(e_step_rows), solve_logistics)
shared_em_step = em_step_of(in_shares(e_step_rows), shared_solve_logistics)


@scalar
def _log_joint(a, b, y, z):
    return -softplus(-z * b) - softplus(-y * z * a)


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
        slope_a[i] = c[i] * y[i] * (other * sigmoid(y[i] * a[i]) - share * sigmoid(-y[i] * a[i]))
        slope_b[i] = c[i] * (other * sigmoid(b[i]) - share * sigmoid(-b[i]))
    return loss


@kernel
def information_block(a, b, y, c, complete, missing):
    """Write the weighted information of each row of a block: complete ``[aa, bb]``, missing ``[aa, ab, bb]``.

    complete = diag(sigmoid'(a), sigmoid'(b)); missing = p (1 - p) [1, y; y, 1].
    """
    for i in range(y.shape[0]):
        logit = b[i] + y[i] * a[i]
        spread = c[i] * sigmoid(logit) * sigmoid(-logit)
        complete[0][i] = c[i] * sigmoid(a[i]) * sigmoid(-a[i])
        complete[1][i] = c[i] * sigmoid(b[i]) * sigmoid(-b[i])
        missing[0][i] = spread
        missing[1][i] = spread * y[i]
        missing[2][i] = spread


marginal_sums = marginal_sums_of(marginal_block)
information_sums = information_sums_of(information_block)
