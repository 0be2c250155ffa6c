"""Sums over rows for a symmetric model: marginal loss and gradient, complete and missing information.

The rows' formulas belong to the models; the loop over blocks is one, compiled for each model.
"""

from emmd.kernels.compile.jit import allocating, inlined, kernel, named_after
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment_two, block_predict_two
from emmd.kernels.rows.cache_lines import block_rows
from emmd.kernels.rows.reduce import BLOCK, CHUNK
from emmd.kernels.rows.weights import place_of

_PER_CHUNK = CHUNK // BLOCK


@inlined
def _total(values):
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total


def marginal_sums_of(marginal_block):
    """Return the chunk kernel of a model's marginal loss and, in wider partials, its gradient in (beta, w).

    Parameters
    ----------
    marginal_block : kernel
        ``(a, b, y, c, loss, slope_a, slope_b)``: writes loss and slopes of the rows of a block.

    Returns
    -------
    kernel
        ``(first, last, partials, XB, y, c, beta, w)``
    """

    @kernel
    @named_after(marginal_block)
    def add_marginal(first, last, partials, XB, y, c, beta, w, work):
        d, n = XB.shape[1], y.shape[0]
        a, b, loss, slope_a, slope_b = work[0], work[1], work[2], work[3], work[4]
        for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
            sums = partials[block // _PER_CHUNK]
            lo = block * BLOCK
            m = min(BLOCK, n - lo)
            weights = c[place_of(c.shape[0], lo) :]
            block_predict_two(XB[block], beta, w, m, a, b)
            marginal_block(a, b, y[lo:], weights, loss[:m], slope_a, slope_b)
            sums[0] += _total(loss[:m])
            if sums.shape[0] > 1:
                block_moment_two(XB[block], slope_a, slope_b, m, sums[1 : 1 + d], sums[1 + d :])

    @allocating
    @named_after(marginal_block)
    def marginal_sums(first, last, partials, XB, y, c, beta, w):
        add_marginal(first, last, partials, XB, y, c, beta, w, block_rows(5))

    return marginal_sums


def information_sums_of(information_block):
    """Return the chunk kernel of a model's information, packed Gram matrices.

    Complete aa and bb (there is no ab) and, in wider partials, missing aa, ab and bb.

    Parameters
    ----------
    information_block : kernel
        ``(a, b, y, c, complete, missing)``: writes the weights of the five matrices.

    Returns
    -------
    kernel
        ``(first, last, partials, XB, y, c, beta, w)``
    """

    @kernel
    @named_after(information_block)
    def add_information(first, last, partials, XB, y, c, beta, w, work):
        d, n = XB.shape[1], y.shape[0]
        width = d * (d + 1) // 2
        a, b, rows = work[0], work[1], work[2:]
        for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
            sums = partials[block // _PER_CHUNK]
            lo = block * BLOCK
            m = min(BLOCK, n - lo)
            weights = c[place_of(c.shape[0], lo) :]
            block_predict_two(XB[block], beta, w, m, a, b)
            information_block(a, b, y[lo : lo + m], weights, rows[:2], rows[2:])
            for part in range(sums.shape[0] // width):
                block_gram(XB[block], rows[part], m, sums[part * width : (part + 1) * width], XB[block, :0])

    @allocating
    @named_after(information_block)
    def information_sums(first, last, partials, XB, y, c, beta, w):
        add_information(first, last, partials, XB, y, c, beta, w, block_rows(7))

    return information_sums
