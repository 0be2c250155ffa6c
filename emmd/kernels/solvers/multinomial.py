"""Soft-label multinomial logistic regression: the M-step of a gate with more than two experts.

The loss is ``-sum_i c_i sum_k r_ki log p_ki`` with ``p = softmax(W x, 0)``: the last class is the reference.
"""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding, in_shares, inlined, kernel, named_after
from emmd.kernels.linear.gram import block_gram, packed
from emmd.kernels.linear.predictors import block_moment_all
from emmd.kernels.maths.softmax import WORK_ROWS, block_log_softmax, block_logits
from emmd.kernels.rows.blocks import BLOCK, PER_CHUNK, block_rows, end_block, rows_of_block
from emmd.kernels.rows.prefetch import fetched, following, with_rows
from emmd.kernels.rows.reduce import add_up, in_turn
from emmd.kernels.solvers import newton_steps
from emmd.kernels.solvers.logistic import hessian_cost


@kernel
def block_gate_sums(X, p, slopes, c, m, gradient, blocks, curvature, upcoming):
    """Add the gradient, shape ((K - 1) d,), and the Hessian's blocks, packed Gram matrices, of a block.

    Parameters
    ----------
    X : ndarray of shape (d, BLOCK)
    p, slopes : ndarray of shape (K, BLOCK)
        Probabilities, and ``c (p - r)``.
    c : ndarray
    m : int
    gradient : ndarray of shape ((K - 1) d,)
    blocks : ndarray of shape (K (K - 1) / 2 * d (d + 1) / 2,) or (0,)
        For classes (1, 1), (1, 2), ..., (2, 2), ...; empty when no Hessian is wanted.
    curvature : ndarray of shape (BLOCK,)
        To work with.
    upcoming : ndarray of shape (any, BLOCK)
        To be fetched meanwhile, where a Hessian is wanted.
    """
    d = X.shape[0]
    free = p.shape[0] - 1
    width = d * (d + 1) // 2
    share = -(-upcoming.shape[0] // (free * (free + 1) // 2)) if free > 0 else 0
    block_moment_all(X, slopes, m, gradient)
    if blocks.shape[0] > 0:
        for j in range(free):
            for k in range(j, free):
                _curvature(c, p[j], p[k], 1.0 if j == k else 0.0, m, curvature)
                place = packed(free, j, k)
                part = upcoming[place * share : (place + 1) * share]
                block_gram(X, curvature, m, blocks[place * width : (place + 1) * width], part)


@inlined
def _curvature(c, p, q, same, m, out):
    for i in range(m):
        out[i] = c[i] * p[i] * (same - q[i])


@inlined
def gate_slopes(c, p, r, m, out):
    """Write ``c (p - r)``."""
    for i in range(m):
        out[i] = c[i] * (p[i] - r[i])


@allocating
def softmax_rows(first, last, partials, XB, W, r, c):
    """Chunk kernel: the gradient and, where partials are as wide, the Hessian's blocks.

    Parameters
    ----------
    W : ndarray of shape (K - 1, d)
    r : ndarray of shape (K, n) or (K - 1, n)
        Soft labels; those of the last class are not read.
    c : ndarray of shape (n,)
    """
    K = len(W) + 1
    work, offset = block_rows(2 * K + WORK_ROWS), np.zeros(len(W))
    _add_blocks(first, last, partials, XB, W, offset, r, c, work[:K], work[K : 2 * K], work[2 * K :])


@kernel
def _add_blocks(first, last, partials, XB, W, offset, r, c, log_p, p, scratch):
    d, n = XB.shape[1], r.shape[1]
    free = W.shape[0]
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        sums = partials[block // PER_CHUNK]
        lo = block * BLOCK
        m = rows_of_block(lo, n)
        weights = c[lo:]
        upcoming = XB[following(block, XB), : fetched(XB)]
        by_rows = with_rows(upcoming.shape[0], sums.shape[0] > free * d)
        block_logits(XB[block], W, offset, m, log_p)
        block_log_softmax(log_p, p, m, scratch, upcoming[:by_rows])
        for k in range(free):
            gate_slopes(weights, p[k], r[k, lo:], m, log_p[k])
        gradient, blocks = sums[: free * d], sums[free * d :]
        block_gate_sums(XB[block], p, log_p, weights, m, gradient, blocks, scratch[0], upcoming[by_rows:])


@allocating
def assemble_hessian(sums, free, d):
    """Return ``[gradient, packed Hessian]`` for the sums of `softmax_rows`.

    The Hessian of shape (free d, free d) is symmetric in classes and in features, so that one packed Gram
    matrix serves both halves of a block.
    """
    D = free * d
    width = d * (d + 1) // 2
    out = np.empty(D + D * (D + 1) // 2)
    for a in range(D):
        out[a] = sums[a]
        for b in range(a, D):
            j, u = a // d, a % d
            k, v = b // d, b % d
            inside = packed(d, u, v) if u < v else packed(d, v, u)
            out[D + packed(D, a, b)] = sums[D + packed(free, j, k) * width + inside]
    return out


@deciding
def softmax_cost(free, d):
    """Return what a Hessian, free (free + 1) / 2 Gram matrices, takes in units of a gradient."""
    return 0.5 * (free + 1) * hessian_cost(d)


def solve_of(rows):
    """Return the kernel that minimises the loss of one multinomial regression.

    Parameters
    ----------
    rows : kernel
        `softmax_rows`, in turn or in shares.

    Returns
    -------
    kernel
        ``(edges, XB, r, c, scale, crest, start, sums) -> states, vectors``, see `newton_steps.workspace`: the
        minimiser is ``vectors[newton_steps.POINT]``. Soft labels r have shape (K - 1, n) or (K, n), the start
        ((K - 1) d,), and sums are its gradient and packed Hessian.
    """

    @allocating
    @named_after(rows)
    def solve_softmax(edges, XB, r, c, scale, crest, start, sums):
        d, D = scale.shape[0], start.shape[0]
        free = D // d
        blocks = free * (free + 1) // 2 * (d * (d + 1) // 2)
        entropy = math.log(free + 1.0)
        states, vectors, factors = newton_steps.workspace(1, D, softmax_cost(free, d), entropy, crest)
        wanted, points, scales = np.full(1, newton_steps.HESSIAN), np.empty((1, D)), np.empty(D)
        for j in range(D):
            vectors[newton_steps.TRIAL, j] = start[j]
            scales[j] = scale[j % d]
        found, first = sums.reshape(1, sums.shape[0]), np.int64(0)
        while newton_steps.advance_all(states, vectors, factors, found, first, scales, wanted, points):
            with_hessian = wanted[0] == newton_steps.HESSIAN
            partials = np.zeros((edges[-1], D + blocks if with_hessian else D))
            rows(edges, partials, XB, points.reshape(free, d), r, c)
            add_up(partials)
            if with_hessian:
                found = assemble_hessian(partials[0], free, d).reshape(1, sums.shape[0])
            else:
                found = partials[0].reshape(1, D)
        return states, vectors

    return solve_softmax


solve_softmax = solve_of(in_turn(softmax_rows))
shared_solve_softmax = solve_of(in_shares(softmax_rows))
