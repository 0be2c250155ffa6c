"""One pass of soft-label logistic regression: loss, gradient and Hessian together.

The loss is ``sum_i c_i ( log(1 + e^{b_i}) - q_i b_i )`` with ``b_i = x_i' w``,
weights ``c_i`` and soft labels ``q_i``; the M-step of a gate or of a logistic
expert minimises it.
"""

import numpy as np

from emmd.kernels._jit import kernel
from emmd.kernels.elementary import sigmoid, softplus
from emmd.kernels.linear import block_gram, block_moment, block_predict
from emmd.kernels.reduce import BLOCK, CHUNK


@kernel
def logistic_block(b, q, c, residual, curvature):
    """Write the loss's derivatives with respect to b over a block; return the loss of the block."""
    loss = 0.0
    for i in range(b.shape[0]):
        mean = sigmoid(b[i])
        residual[i] = c[i] * (mean - q[i])
        curvature[i] = c[i] * mean * sigmoid(-b[i])
        loss += c[i] * (softplus(b[i]) - q[i] * b[i])
    return loss


@kernel
def logistic_rows(first, last, partials, XT, w, q, c):
    """Chunk kernel: ``[loss, gradient (d), packed Hessian (d (d + 1) / 2)]``."""
    d, n = XT.shape
    b = np.empty(BLOCK)
    residual = np.empty(BLOCK)
    curvature = np.empty(BLOCK)
    work = np.empty(BLOCK)
    for chunk in range(first, last):
        sums = partials[chunk]
        end = min((chunk + 1) * CHUNK, n)
        for lo in range(chunk * CHUNK, end, BLOCK):
            hi = min(lo + BLOCK, end)
            block_predict(XT, w, lo, hi, b)
            sums[0] += logistic_block(b[: hi - lo], q[lo:hi], c[lo:hi], residual, curvature)
            block_moment(XT, residual, lo, hi, sums[1 : 1 + d])
            block_gram(XT, curvature, lo, hi, work, sums[1 + d :])
