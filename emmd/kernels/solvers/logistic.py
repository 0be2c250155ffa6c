"""Soft-label logistic regression: the M-step of a gate or of a logistic expert.

The loss is ``sum_i c_i ( log(1 + e^{b_i}) - q_i b_i )`` with ``b_i = x_i' w``, weights ``c_i`` and soft
labels ``q_i``.
"""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding, in_shares, inlined, kernel, named_after
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment, block_moment_two, block_predict, block_predict_two
from emmd.kernels.maths.elementary import exp_nonpositive, softplus
from emmd.kernels.rows.blocks import BLOCK, PER_CHUNK, block_rows, clear, end_block, pad, rows_of_block
from emmd.kernels.rows.prefetch import ROWS, STRIPS, fetch_with_strip, fetched, following, with_rows
from emmd.kernels.rows.reduce import add_up, in_turn
from emmd.kernels.solvers import newton_steps

_WORK = 7
LOG_2 = math.log(2.0)
"""The loss at w = 0, whatever the labels; the largest entropy of a label."""

LOSS = newton_steps.HESSIAN + 1
"""What is wanted of a regression when Newton's method does not ask: loss, gradient and Hessian."""


@inlined
def _derivatives_block(b, q, c, residual, upcoming):
    for strip in range(STRIPS):
        fetch_with_strip(upcoming, strip)
        for k in range(ROWS):
            i = strip * ROWS + k
            t = exp_nonpositive(-abs(b[i]))
            residual[i] = c[i] * ((1.0 if b[i] >= 0.0 else t) / (1.0 + t) - q[i])


@inlined
def second_derivatives_block(b, q, c, residual, curvature, upcoming):
    """Write what gradient and Hessian of the loss weigh the rows of a block with."""
    for strip in range(STRIPS):
        fetch_with_strip(upcoming, strip)
        for k in range(ROWS):
            i = strip * ROWS + k
            t = exp_nonpositive(-abs(b[i]))
            inverse = 1.0 / (1.0 + t)
            residual[i] = c[i] * ((1.0 if b[i] >= 0.0 else t) * inverse - q[i])
            curvature[i] = c[i] * t * inverse * inverse


@inlined
def _loss_of_block(b, q, c, m):
    loss = 0.0
    for i in range(m):
        loss += c[i] * (softplus(b[i]) - q[i] * b[i])
    return loss


@allocating
def logistic_rows(first, last, partials, XB, W, Q, c, wanted):
    """Chunk kernel: ``[loss, gradient (d), packed Hessian (d (d + 1) / 2)]`` of regressions on the same rows.

    Regression k has coefficients ``W[k]`` and labels ``Q[k]``. All of it is summed where ``wanted[k]`` is
    `LOSS`, all but the loss with ``newton_steps.HESSIAN``, the gradient alone with
    ``newton_steps.GRADIENT``, nothing with ``newton_steps.DONE``; partials may be narrower then.
    """
    _add_blocks(first, last, partials, XB, W, Q, c, wanted, block_rows(np.int64(_WORK)))


@kernel
def _add_blocks(first, last, partials, XB, W, Q, c, wanted, work):
    d, n = XB.shape[1], Q.shape[1]
    features = fetched(XB)
    b, residual, curvature = work[:2], work[2:4], work[4]
    width = partials.shape[1] // len(wanted)
    both = len(wanted) == 2 and wanted[0] != newton_steps.DONE and wanted[1] != newton_steps.DONE
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        lo = block * BLOCK
        m = rows_of_block(lo, n)
        weights = c[lo:]
        if m < BLOCK:
            pad(weights, m, work[5])
            weights = work[5]
            clear(b[0], m)
            clear(b[1], m)
        X, upcoming = XB[block], XB[following(block, XB), :features]
        sums = partials[block // PER_CHUNK]
        if both:
            block_predict_two(X, W[0], W[1], m, b[0], b[1])
        for k in range(len(wanted)):
            if wanted[k] == newton_steps.DONE:
                continue
            own = sums[k * width : (k + 1) * width]
            place = k if both else 0
            labels = Q[k, lo:]
            if m < BLOCK:
                pad(labels, m, work[6])
                labels = work[6]
            if not both:
                block_predict(X, W[k], m, b[0])
            if wanted[k] == LOSS:
                own[0] += _loss_of_block(b[place], labels, weights, m)
            meanwhile = upcoming[: with_rows(features, wanted[k] >= newton_steps.HESSIAN)]
            if wanted[k] >= newton_steps.HESSIAN:
                second_derivatives_block(b[place], labels, weights, residual[place], curvature, meanwhile)
                block_gram(X, curvature, m, own[1 + d :], upcoming[meanwhile.shape[0] :])
            else:
                _derivatives_block(b[place], labels, weights, residual[place], meanwhile)
            if not both:
                block_moment(X, residual[0], m, own[1 : 1 + d])
        if both:
            one, two = sums[1 : 1 + d], sums[width + 1 : width + 1 + d]
            block_moment_two(X, residual[0], residual[1], m, one, two)


@deciding
def hessian_cost(d):
    """Return what a Hessian takes beside a gradient, in units of the gradient: measured from d = 1 to 50."""
    return (5.0 + 0.5 * d * (d + 1)) / (40.0 + 6.0 * d)


@deciding
def derivatives_width(d, wanted):
    """Return the number of sums of each regression in `logistic_rows`."""
    for k in range(len(wanted)):
        if wanted[k] >= newton_steps.HESSIAN:
            return 1 + d + d * (d + 1) // 2
    return 1 + d


def solve_of(rows):
    """Return the kernel that minimises the losses of r regressions on the same rows, all at once.

    Parameters
    ----------
    rows : kernel
        `logistic_rows`, in turn or in shares.

    Returns
    -------
    kernel
        ``(edges, XB, Q, c, scale, crest, starts, sums) -> states, vectors``, see `newton_steps.workspace`:
        minimiser k is ``vectors[k * newton_steps.VECTORS + newton_steps.POINT]``. Soft labels Q have shape
        (r, n), starts (r d,), and sums, the gradients and packed Hessians at the starts,
        (r (d + d (d + 1) / 2),).
    """

    @allocating
    @named_after(rows)
    def solve_logistics(edges, XB, Q, c, scale, crest, starts, sums):
        r, d = Q.shape[0], scale.shape[0]
        width = d + d * (d + 1) // 2
        states, vectors, factors = newton_steps.workspace(r, d, hessian_cost(d), LOG_2, crest)
        wanted, points = np.full(r, newton_steps.HESSIAN), np.empty((r, d))
        for k in range(r):
            for j in range(d):
                vectors[k * newton_steps.VECTORS + newton_steps.TRIAL, j] = starts[k * d + j]
        # literals would be types of their own, for each of which all of Newton's method is compiled
        found, first = sums.reshape(r, width), np.int64(0)
        while newton_steps.advance_all(states, vectors, factors, found, first, scale, wanted, points):
            width = derivatives_width(d, wanted)
            partials = np.zeros((edges[-1], r * width))
            rows(edges, partials, XB, points, Q, c, wanted)
            add_up(partials)
            # the losses come first, and nobody has asked for them
            found, first = partials[0].reshape(r, width), np.int64(1)
        return states, vectors

    return solve_logistics


solve_logistics = solve_of(in_turn(logistic_rows))
shared_solve_logistics = solve_of(in_shares(logistic_rows))
