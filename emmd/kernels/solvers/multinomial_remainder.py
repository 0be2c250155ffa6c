"""The remainder of a multinomial gradient after a step of Newton's method, from a sample of the rows.

With probabilities p at the point, and p' at the end of a step that changes the logits by s, it is
``E[(p' - p - (diag(p) - pp') s) x]``. See `emmd.kernels.solvers.remainder`.
"""

import numpy as np

from emmd.kernels.compile.jit import allocating, in_shares, inlined, kernel
from emmd.kernels.linear.predictors import block_moment_all
from emmd.kernels.maths.softmax import SPARE, block_log_softmax, block_logits
from emmd.kernels.rows.cache_lines import block_rows
from emmd.kernels.rows.reduce import BLOCK, in_turn
from emmd.kernels.rows.weights import place_of
from emmd.kernels.solvers.remainder import remainders_of, sampled_block


@inlined
def _add_changes(log_p, log_end, last, last_end, p, mean, squares):
    """Turn log probabilities at the end into changes of a logit; add their mean and mean square under p."""
    for i in range(BLOCK):
        log_end[i] = (log_end[i] - last_end[i]) - (log_p[i] - last[i])
        mean[i] += p[i] * log_end[i]
        squares[i] += p[i] * log_end[i] * log_end[i]


@inlined
def _leave_remainder(p, end, change, mean, c):
    """Turn probabilities at the end into what the remainder weighs the rows with."""
    for i in range(BLOCK):
        end[i] = c[i] * (end[i] - p[i] - p[i] * (change[i] - mean[i]))


@inlined
def _total_variance(c, mean, squares):
    total = 0.0
    for i in range(BLOCK):
        total += c[i] * (squares[i] - mean[i] * mean[i])
    return total


@allocating
def softmax_remainder_rows(first, last, partials, XB, c, n, point, end):
    """Chunk kernel, with single sampled blocks for chunks: ``[remainder (p), curvature of the step]``."""
    d = XB.shape[1]
    free = point.shape[0] // d
    K = free + 1
    work, offset = block_rows(4 * K + SPARE + 2), np.zeros(free)
    at, there = (work[:K], work[K : 2 * K]), (work[2 * K : 3 * K], work[3 * K : 4 * K])
    W, W_end = point.reshape(free, d), end.reshape(free, d)
    _add_blocks(first, last, partials, XB, c, n, (W, W_end, offset), at, there, work[4 * K :])


@kernel
def _add_blocks(first, last, partials, XB, c, n, gates, at, there, spare):
    W, W_end, offset = gates
    log_p, p = at
    log_end, p_end = there
    mean, squares = spare[SPARE], spare[SPARE + 1]
    free, count = W.shape[0], partials.shape[0]
    # a constant would be a type of its own, for which the kernels called are compiled again
    m = min(BLOCK, n)
    for k in range(first, last):
        block = sampled_block(k, count, n)
        X, weights = XB[block], c[place_of(c.shape[0], block * BLOCK) :]
        block_logits(X, W, offset, m, log_p)
        block_log_softmax(log_p, p, m, spare[:SPARE], X[:0])
        block_logits(X, W_end, offset, m, log_end)
        block_log_softmax(log_end, p_end, m, spare[:SPARE], X[:0])
        for i in range(BLOCK):
            mean[i] = 0.0
            squares[i] = 0.0
        for j in range(free):
            _add_changes(log_p[j], log_end[j], log_p[free], log_end[free], p[j], mean, squares)
        for j in range(free):
            _leave_remainder(p[j], p_end[j], log_end[j], mean, weights)
        partials[k, partials.shape[1] - 1] += _total_variance(weights, mean, squares)
        block_moment_all(X, p_end, m, partials[k, : partials.shape[1] - 1])


remainders = remainders_of(in_turn(softmax_remainder_rows))
shared_remainders = remainders_of(in_shares(softmax_remainder_rows))
