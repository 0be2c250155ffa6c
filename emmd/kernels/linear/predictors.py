"""Linear predictors, weighted moments and weighted Gram matrices of features kept block by block.

``XB`` has shape (blocks, d, BLOCK): the features of 256 rows lie together, feature-major, so a block is one
piece of memory that the processor fetches ahead of its use; in an array of shape (d, n) every feature of a
block is a page of its own. Columns of the last block beyond the last row are zero and never read.
"""

from emmd.kernels.compile.jit import kernel
from emmd.kernels.linear.gram import block_gram
from emmd.kernels.rows.blocks import BLOCK, PER_CHUNK, end_block, rows_of_block


@kernel
def block_predict(X, theta, m, out):
    """Write ``out[i] = x_i' theta`` for the first `m` rows of a block."""
    d = X.shape[0]
    odd = d % 4
    if odd == 0:
        for i in range(m):
            out[i] = 0.0
    elif odd == 1:
        for i in range(m):
            out[i] = theta[0] * X[0, i]
    elif odd == 2:
        for i in range(m):
            out[i] = theta[0] * X[0, i] + theta[1] * X[1, i]
    else:
        for i in range(m):
            out[i] = theta[0] * X[0, i] + theta[1] * X[1, i] + theta[2] * X[2, i]
    for j in range(odd, d, 4):
        t0, t1, t2, t3 = theta[j], theta[j + 1], theta[j + 2], theta[j + 3]
        for i in range(m):
            out[i] += t0 * X[j, i] + t1 * X[j + 1, i] + t2 * X[j + 2, i] + t3 * X[j + 3, i]


@kernel
def block_predict_two(X, theta, other, m, out, other_out):
    """Do what `block_predict` does for two coefficient vectors, with one reading of the features."""
    d = X.shape[0]
    odd = d % 4
    if odd == 0:
        for i in range(m):
            out[i] = 0.0
            other_out[i] = 0.0
    elif odd == 1:
        for i in range(m):
            out[i] = theta[0] * X[0, i]
            other_out[i] = other[0] * X[0, i]
    elif odd == 2:
        for i in range(m):
            out[i] = theta[0] * X[0, i] + theta[1] * X[1, i]
            other_out[i] = other[0] * X[0, i] + other[1] * X[1, i]
    else:
        for i in range(m):
            out[i] = theta[0] * X[0, i] + theta[1] * X[1, i] + theta[2] * X[2, i]
            other_out[i] = other[0] * X[0, i] + other[1] * X[1, i] + other[2] * X[2, i]
    for j in range(odd, d, 4):
        t0, t1, t2, t3 = theta[j], theta[j + 1], theta[j + 2], theta[j + 3]
        o0, o1, o2, o3 = other[j], other[j + 1], other[j + 2], other[j + 3]
        for i in range(m):
            x0, x1, x2, x3 = X[j, i], X[j + 1, i], X[j + 2, i], X[j + 3, i]
            out[i] += t0 * x0 + t1 * x1 + t2 * x2 + t3 * x3
            other_out[i] += o0 * x0 + o1 * x1 + o2 * x2 + o3 * x3


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
    if d - whole >= 2:
        s0 = s1 = 0.0
        for i in range(m):
            s0 += v[i] * X[whole, i]
            s1 += v[i] * X[whole + 1, i]
        sums[whole] += s0
        sums[whole + 1] += s1
    if d % 2 == 1:
        s0 = 0.0
        for i in range(m):
            s0 += v[i] * X[d - 1, i]
        sums[d - 1] += s0


@kernel
def block_moment_two(X, u, v, m, u_sums, v_sums):
    """Do what `block_moment` does for two vectors, with one reading of the features."""
    d = X.shape[0]
    whole = d - d % 4
    for j in range(0, whole, 4):
        s0 = s1 = s2 = s3 = 0.0
        t0 = t1 = t2 = t3 = 0.0
        for i in range(m):
            x0, x1, x2, x3 = X[j, i], X[j + 1, i], X[j + 2, i], X[j + 3, i]
            s0 += u[i] * x0
            s1 += u[i] * x1
            s2 += u[i] * x2
            s3 += u[i] * x3
            t0 += v[i] * x0
            t1 += v[i] * x1
            t2 += v[i] * x2
            t3 += v[i] * x3
        u_sums[j] += s0
        u_sums[j + 1] += s1
        u_sums[j + 2] += s2
        u_sums[j + 3] += s3
        v_sums[j] += t0
        v_sums[j + 1] += t1
        v_sums[j + 2] += t2
        v_sums[j + 3] += t3
    for j in range(whole, d):
        s0 = t0 = 0.0
        for i in range(m):
            s0 += u[i] * X[j, i]
            t0 += v[i] * X[j, i]
        u_sums[j] += s0
        v_sums[j] += t0


@kernel
def block_predict_all(X, W, m, out):
    """Write ``out[k, i] = x_i' W[k]`` for coefficients of shape (K, d)."""
    K = W.shape[0]
    for k in range(0, K - 1, 2):
        block_predict_two(X, W[k], W[k + 1], m, out[k], out[k + 1])
    if K % 2 == 1:
        block_predict(X, W[K - 1], m, out[K - 1])


@kernel
def block_moment_all(X, V, m, sums):
    """Add ``sum_i V[k, i] x_i`` for K = len(sums) / d vectors to ``sums``, one after the other."""
    d = X.shape[0]
    # a constant gate has no features
    K = sums.shape[0] // d if d > 0 else 0
    for k in range(0, K - 1, 2):
        one, two = sums[k * d : (k + 1) * d], sums[(k + 1) * d : (k + 2) * d]
        block_moment_two(X, V[k], V[k + 1], m, one, two)
    if K % 2 == 1:
        block_moment(X, V[K - 1], m, sums[(K - 1) * d :])


@kernel
def predict_rows(first, last, partials, XB, theta, out):
    """Chunk kernel: ``out = X theta``."""
    n = out.shape[0]
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        lo = block * BLOCK
        block_predict(XB[block], theta, rows_of_block(lo, n), out[lo:])


@kernel
def moment_rows(first, last, partials, XB, v):
    """Chunk kernel: ``sum_i v_i x_i``."""
    n = v.shape[0]
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        lo = block * BLOCK
        block_moment(XB[block], v[lo:], rows_of_block(lo, n), partials[block // PER_CHUNK])


@kernel
def gram_rows(first, last, partials, XB, v):
    """Chunk kernel: the packed upper triangle of ``sum_i v_i x_i x_i'``."""
    n = v.shape[0]
    for block in range(first * PER_CHUNK, end_block(last, XB)):
        lo = block * BLOCK
        block_gram(XB[block], v[lo:], rows_of_block(lo, n), partials[block // PER_CHUNK], XB[block, :0])
