"""Linear predictors, weighted moments and weighted Gram matrices of feature-major data."""

from emmd.kernels._jit import kernel
from emmd.kernels.reduce import BLOCK, CHUNK


@kernel
def block_predict(XT, theta, lo, hi, out):
    """Write ``out[i - lo] = x_i' theta`` for the rows ``lo <= i < hi``."""
    for i in range(hi - lo):
        out[i] = 0.0
    for j in range(XT.shape[0]):
        t = theta[j]
        for i in range(lo, hi):
            out[i - lo] += t * XT[j, i]


@kernel
def block_moment(XT, v, lo, hi, sums):
    """Add ``sum_i v_i x_i`` over a block to ``sums``; ``v`` is indexed from the block's start."""
    for j in range(XT.shape[0]):
        total = 0.0
        for i in range(lo, hi):
            total += v[i - lo] * XT[j, i]
        sums[j] += total


@kernel
def block_gram(XT, v, lo, hi, work, sums):
    """Add the upper triangle, packed by rows, of ``sum_i v_i x_i x_i'`` over a block to ``sums``."""
    d = XT.shape[0]
    position = 0
    for j in range(d):
        for i in range(lo, hi):
            work[i - lo] = v[i - lo] * XT[j, i]
        for k in range(j, d):
            total = 0.0
            for i in range(lo, hi):
                total += work[i - lo] * XT[k, i]
            sums[position] += total
            position += 1


@kernel
def predict_rows(first, last, partials, XT, theta, out):
    """Chunk kernel: ``out = X theta``."""
    n = XT.shape[1]
    lo = first * CHUNK
    hi = min(last * CHUNK, n)
    block_predict(XT, theta, lo, hi, out[lo:hi])


@kernel
def moment_rows(first, last, partials, XT, v):
    """Chunk kernel: ``sum_i v_i x_i``."""
    n = XT.shape[1]
    for chunk in range(first, last):
        end = min((chunk + 1) * CHUNK, n)
        for lo in range(chunk * CHUNK, end, BLOCK):
            hi = min(lo + BLOCK, end)
            block_moment(XT, v[lo:hi], lo, hi, partials[chunk])


@kernel
def gram_rows(first, last, partials, XT, v, work):
    """Chunk kernel: the packed upper triangle of ``sum_i v_i x_i x_i'``."""
    n = XT.shape[1]
    for chunk in range(first, last):
        end = min((chunk + 1) * CHUNK, n)
        for lo in range(chunk * CHUNK, end, BLOCK):
            hi = min(lo + BLOCK, end)
            block_gram(XT, v[lo:hi], lo, hi, work[lo:hi], partials[chunk])
