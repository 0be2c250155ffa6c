"""Linear predictors, weighted moments and weighted Gram matrices of features kept block by block.

``XB`` has shape (blocks, d, BLOCK): the features of 256 rows lie together, feature-major, so a block is one
piece of memory that the processor fetches ahead of its use; in an array of shape (d, n) every feature of a
block is a page of its own. Columns of the last block beyond the last row are zero and never read.
"""

from emmd.kernels._jit import kernel
from emmd.kernels.gram import block_gram
from emmd.kernels.reduce import BLOCK, CHUNK

_PER_CHUNK = CHUNK // BLOCK


@kernel
def block_predict(X, theta, m, out):
    """Write ``out[i] = x_i' theta`` for the first `m` rows of a block."""
    d = X.shape[0]
    whole = d - d % 4
    for i in range(m):
        out[i] = 0.0
    for j in range(0, whole, 4):
        t0, t1, t2, t3 = theta[j], theta[j + 1], theta[j + 2], theta[j + 3]
        for i in range(m):
            out[i] += t0 * X[j, i] + t1 * X[j + 1, i] + t2 * X[j + 2, i] + t3 * X[j + 3, i]
    for j in range(whole, d):
        t0 = theta[j]
        for i in range(m):
            out[i] += t0 * X[j, i]


@kernel
def block_moment(X, v, m, sums):
    """Add ``sum_i v_i x_i`` over the first `m` rows of a block to ``sums``."""
    d = X.shape[0]
    whole = d - d % 4
    for j in range(0, whole, 4):
        s0 = s1 = s2 = s3 = 0.0
        for i in range(m):
            s0 += v[i] * X[j, i]
            s1 += v[i] * X[j + 1, i]
            s2 += v[i] * X[j + 2, i]
            s3 += v[i] * X[j + 3, i]
        sums[j] += s0
        sums[j + 1] += s1
        sums[j + 2] += s2
        sums[j + 3] += s3
    for j in range(whole, d):
        s0 = 0.0
        for i in range(m):
            s0 += v[i] * X[j, i]
        sums[j] += s0


@kernel
def predict_rows(first, last, partials, XB, theta, out):
    """Chunk kernel: ``out = X theta``."""
    n = out.shape[0]
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        lo = block * BLOCK
        block_predict(XB[block], theta, min(BLOCK, n - lo), out[lo:])


@kernel
def moment_rows(first, last, partials, XB, v):
    """Chunk kernel: ``sum_i v_i x_i``."""
    n = v.shape[0]
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        lo = block * BLOCK
        block_moment(XB[block], v[lo:], min(BLOCK, n - lo), partials[block // _PER_CHUNK])


@kernel
def gram_rows(first, last, partials, XB, v):
    """Chunk kernel: the packed upper triangle of ``sum_i v_i x_i x_i'``."""
    n = v.shape[0]
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        lo = block * BLOCK
        block_gram(XB[block], v[lo:], min(BLOCK, n - lo), partials[block // _PER_CHUNK])
