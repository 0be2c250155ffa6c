"""Sums over rows for a symmetric model: marginal loss and gradient, complete and missing information.

The rows' formulas belong to the models; the loop over blocks is one, compiled for each model.
"""

from emmd.kernels.compile.jit import kernel, named_after
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.linear.predictors import block_moment_two, block_predict_two
from emmd.kernels.rows.blocks import BLOCK, PER_CHUNK, end_block, rows_of_block


def marginal_sums_of(marginal_block):
    """Return the chunk kernel of a model's marginal loss and, in wider partials, its gradient in (beta, w).

    Parameters
    ----------
    marginal_block : kernel
        ``(a, b, y, c, slope_a, slope_b) -> loss``: the loss of the rows of a block, and their slopes.

    Returns
    -------
    kernel
        ``(first, last, partials, XB, y, c, beta, w, rows)``, the last an array of shape (4, n) to work with.
    """

    @kernel
    @named_after(marginal_block)
    def marginal_sums(first, last, partials, XB, y, c, beta, w, rows):
        d, n = XB.shape[1], y.shape[0]
        for block in range(first * PER_CHUNK, end_block(last, XB)):
            sums = partials[block // PER_CHUNK]
            lo = block * BLOCK
            m = rows_of_block(lo, n)
            a, b, slope_a, slope_b = rows[0, lo:], rows[1, lo:], rows[2, lo:], rows[3, lo:]
            block_predict_two(XB[block], beta, w, m, a, b)
            sums[0] += marginal_block(a, b, y[lo : lo + m], c[lo:], slope_a, slope_b)
            if sums.shape[0] > 1:
                block_moment_two(XB[block], slope_a, slope_b, m, sums[1 : 1 + d], sums[1 + d :])

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
        ``(first, last, partials, XB, y, c, beta, w, rows)``, the last an array of shape (7, n) to work with.
    """

    @kernel
    @named_after(information_block)
    def information_sums(first, last, partials, XB, y, c, beta, w, rows):
        d, n = XB.shape[1], y.shape[0]
        width = d * (d + 1) // 2
        for block in range(first * PER_CHUNK, end_block(last, XB)):
            sums = partials[block // PER_CHUNK]
            lo = block * BLOCK
            m = rows_of_block(lo, n)
            a, b = rows[0, lo:], rows[1, lo:]
            block_predict_two(XB[block], beta, w, m, a, b)
            complete, missing = (rows[2, lo:], rows[3, lo:]), (rows[4, lo:], rows[5, lo:], rows[6, lo:])
            information_block(a, b, y[lo : lo + m], c[lo:], complete, missing)
            for part in range(sums.shape[0] // width):
                own = sums[part * width : (part + 1) * width]
                block_gram(XB[block], rows[2 + part, lo:], m, own, XB[block, :0])

    return information_sums
