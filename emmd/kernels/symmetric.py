"""Sums over rows for both symmetric models: marginal loss and gradient, complete and missing information.

The rows' formulas belong to the models; the loop over blocks is one.
"""

from emmd.kernels import symmetric_linear, symmetric_logistic
from emmd.kernels._jit import allocating, kernel
from emmd.kernels.gram import block_gram
from emmd.kernels.linear import block_moment_two, block_predict_two
from emmd.kernels.reduce import BLOCK, CHUNK
from emmd.kernels.work import block_rows

_PER_CHUNK = CHUNK // BLOCK


@kernel
def _total(values):
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total


@allocating
def marginal_sums(first, last, partials, XB, y, c, beta, w, logistic):
    """Chunk kernel: the marginal loss and, where partials are as wide, its gradient in (beta, w)."""
    _add_marginal(first, last, partials, XB, y, c, beta, w, logistic, block_rows(5))


@kernel
def _add_marginal(first, last, partials, XB, y, c, beta, w, logistic, work):
    d, n = XB.shape[1], c.shape[0]
    a, b, loss, slope_a, slope_b = work[0], work[1], work[2], work[3], work[4]
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        sums = partials[block // _PER_CHUNK]
        lo = block * BLOCK
        m = min(BLOCK, n - lo)
        block_predict_two(XB[block], beta, w, m, a, b)
        if logistic:
            symmetric_logistic.marginal_block(a, b, y[lo:], c[lo:], loss[:m], slope_a, slope_b)
        else:
            symmetric_linear.marginal_block(a, b, y[lo:], c[lo:], loss[:m], slope_a, slope_b)
        sums[0] += _total(loss[:m])
        if sums.shape[0] > 1:
            block_moment_two(XB[block], slope_a, slope_b, m, sums[1 : 1 + d], sums[1 + d :])


@allocating
def information_sums(first, last, partials, XB, y, c, beta, w, logistic):
    """Chunk kernel: packed Gram matrices, complete aa, bb and, in wider partials, missing aa, ab, bb.

    The complete information has no block ab.
    """
    work = block_rows(7)
    _add_information(first, last, partials, XB, y, c, beta, w, logistic, work[0], work[1], work[2:])


@kernel
def _add_information(first, last, partials, XB, y, c, beta, w, logistic, a, b, rows):
    d, n = XB.shape[1], c.shape[0]
    width = d * (d + 1) // 2
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        sums = partials[block // _PER_CHUNK]
        lo = block * BLOCK
        m = min(BLOCK, n - lo)
        block_predict_two(XB[block], beta, w, m, a, b)
        if logistic:
            symmetric_logistic.information_block(a, b, y[lo : lo + m], c[lo:], rows[:2], rows[2:])
        else:
            symmetric_linear.information_block(a, b, y[lo : lo + m], c[lo:], rows[:2], rows[2:])
        for part in range(sums.shape[0] // width):
            block_gram(XB[block], rows[part], m, sums[part * width : (part + 1) * width])
