"""The potential softplus of linear predictors: value and derivatives, row by row."""

from emmd.kernels.compile.jit import kernel
from emmd.kernels.maths.elementary import sigmoid, softplus
from emmd.kernels.rows.blocks import CHUNK


@kernel
def softplus_rows(first, last, partials, b, value, mean, variance):
    """Chunk kernel: write softplus(b), its derivative sigmoid(b) and second derivative."""
    for i in range(first * CHUNK, min(last * CHUNK, b.shape[0])):
        value[i] = softplus(b[i])
        mean[i] = sigmoid(b[i])
        variance[i] = mean[i] * sigmoid(-b[i])
