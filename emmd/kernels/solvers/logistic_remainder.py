"""The remainder of a logistic gradient after a step of Newton's method, from a sample of the rows.

With b = x'w at the point and b + s at the end of the step it is
``E[(sigmoid(b + s) - sigmoid(b) - sigmoid'(b) s) x]``. See `emmd.kernels.solvers.remainder`.
"""

from emmd.kernels.compile.jit import allocating, in_shares, inlined, kernel
from emmd.kernels.linear.predictors import block_moment, block_predict_two
from emmd.kernels.maths.elementary import exp_nonpositive
from emmd.kernels.rows.cache_lines import block_rows
from emmd.kernels.rows.reduce import BLOCK, in_turn
from emmd.kernels.rows.weights import place_of
from emmd.kernels.solvers.remainder import remainders_of, sampled_block


@inlined
def _remainder_block(b, end, c, out):
    """Write what the remainder weighs the rows of a block with; return their part of the step's curvature."""
    curvature = 0.0
    for i in range(BLOCK):
        s = end[i] - b[i]
        t, u = exp_nonpositive(-abs(b[i])), exp_nonpositive(-abs(end[i]))
        inverse = 1.0 / (1.0 + t)
        slope = t * inverse * inverse
        mean, mean_there = (1.0 if b[i] >= 0.0 else t) * inverse, (1.0 if end[i] >= 0.0 else u) / (1.0 + u)
        out[i] = c[i] * (mean_there - mean - slope * s)
        curvature += c[i] * slope * s * s
    return curvature


@allocating
def remainder_rows(first, last, partials, XB, c, n, point, end):
    """Chunk kernel, with single sampled blocks for chunks: ``[remainder (d), curvature of the step]``."""
    _add_blocks(first, last, partials, XB, c, n, point, end, block_rows(3))


@kernel
def _add_blocks(first, last, partials, XB, c, n, point, end, work):
    d, count = XB.shape[1], partials.shape[0]
    b, there, weighed = work[0], work[1], work[2]
    # a constant would be a type of its own, for which the kernels called are compiled again
    m = min(BLOCK, n)
    for k in range(first, last):
        block = sampled_block(k, count, n)
        weights = c[place_of(c.shape[0], block * BLOCK) :]
        block_predict_two(XB[block], point, end, m, b, there)
        partials[k, d] += _remainder_block(b, there, weights, weighed)
        block_moment(XB[block], weighed, m, partials[k, :d])


remainders = remainders_of(in_turn(remainder_rows))
shared_remainders = remainders_of(in_shares(remainder_rows))
