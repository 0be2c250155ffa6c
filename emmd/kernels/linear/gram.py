"""Weighted Gram matrices of one block of rows, in tiles that stay in registers.

A dot product of two features costs two loads for one product; a tile of four by four features costs eight
loads for sixteen. Sums are collected in local numbers: adding to memory inside the loop would be vectorised
or not depending on addresses.
"""

from emmd.kernels.compile.jit import inlined, kernel, scalar
from emmd.kernels.rows.prefetch import fetch


@scalar
def packed(d, j, k):
    """Return the place of entry (j, k), j <= k, in the upper triangle packed by rows."""
    return j * d - (j * (j - 1)) // 2 + k - j


@inlined
def _tile_diagonal(X, v, m, j, sums):
    """Add the upper triangle of features j to j + 3."""
    d = X.shape[0]
    s00 = s01 = s02 = s03 = s11 = s12 = s13 = s22 = s23 = s33 = 0.0
    for i in range(m):
        x1, x2, x3 = X[j + 1, i], X[j + 2, i], X[j + 3, i]
        a0, a1, a2 = v[i] * X[j, i], v[i] * x1, v[i] * x2
        s00 += a0 * X[j, i]
        s01 += a0 * x1
        s02 += a0 * x2
        s03 += a0 * x3
        s11 += a1 * x1
        s12 += a1 * x2
        s13 += a1 * x3
        s22 += a2 * x2
        s23 += a2 * x3
        s33 += v[i] * x3 * x3
    triangle = (s00, s01, s02, s03, s11, s12, s13, s22, s23, s33)
    place = 0
    for row in range(4):
        for column in range(row, 4):
            sums[packed(d, j + row, j + column)] += triangle[place]
            place += 1


@inlined
def _tile_4x4(X, v, m, j, k, sums):
    d = X.shape[0]
    s00 = s01 = s02 = s03 = 0.0
    s10 = s11 = s12 = s13 = 0.0
    s20 = s21 = s22 = s23 = 0.0
    s30 = s31 = s32 = s33 = 0.0
    for i in range(m):
        a0, a1, a2, a3 = v[i] * X[j, i], v[i] * X[j + 1, i], v[i] * X[j + 2, i], v[i] * X[j + 3, i]
        b0, b1, b2, b3 = X[k, i], X[k + 1, i], X[k + 2, i], X[k + 3, i]
        s00 += a0 * b0
        s01 += a0 * b1
        s02 += a0 * b2
        s03 += a0 * b3
        s10 += a1 * b0
        s11 += a1 * b1
        s12 += a1 * b2
        s13 += a1 * b3
        s20 += a2 * b0
        s21 += a2 * b1
        s22 += a2 * b2
        s23 += a2 * b3
        s30 += a3 * b0
        s31 += a3 * b1
        s32 += a3 * b2
        s33 += a3 * b3
    tile = ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
    for row in range(4):
        for column in range(4):
            sums[packed(d, j + row, k + column)] += tile[row][column]


@inlined
def _tile_4x2(X, v, m, j, k, sums):
    d = X.shape[0]
    s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = 0.0
    for i in range(m):
        b0, b1 = v[i] * X[k, i], v[i] * X[k + 1, i]
        s00 += X[j, i] * b0
        s01 += X[j, i] * b1
        s10 += X[j + 1, i] * b0
        s11 += X[j + 1, i] * b1
        s20 += X[j + 2, i] * b0
        s21 += X[j + 2, i] * b1
        s30 += X[j + 3, i] * b0
        s31 += X[j + 3, i] * b1
    tile = ((s00, s01), (s10, s11), (s20, s21), (s30, s31))
    for row in range(4):
        for column in range(2):
            sums[packed(d, j + row, k + column)] += tile[row][column]


@inlined
def _tile_4x1(X, v, m, j, k, sums):
    d = X.shape[0]
    s0 = s1 = s2 = s3 = 0.0
    for i in range(m):
        b = v[i] * X[k, i]
        s0 += b * X[j, i]
        s1 += b * X[j + 1, i]
        s2 += b * X[j + 2, i]
        s3 += b * X[j + 3, i]
    sums[packed(d, j, k)] += s0
    sums[packed(d, j + 1, k)] += s1
    sums[packed(d, j + 2, k)] += s2
    sums[packed(d, j + 3, k)] += s3


@inlined
def _tile_2x2(X, v, m, j, sums):
    """Add the upper triangle of features j and j + 1."""
    s00 = s01 = s11 = 0.0
    for i in range(m):
        a, b = v[i] * X[j, i], X[j + 1, i]
        s00 += a * X[j, i]
        s01 += a * b
        s11 += v[i] * b * b
    sums[packed(X.shape[0], j, j)] += s00
    sums[packed(X.shape[0], j, j + 1)] += s01
    sums[packed(X.shape[0], j + 1, j + 1)] += s11


@inlined
def _tile_1x1(X, v, m, j, k, sums):
    total = 0.0
    for i in range(m):
        total += v[i] * X[j, i] * X[k, i]
    sums[packed(X.shape[0], j, k)] += total


@kernel
def block_gram(X, v, m, sums, upcoming):
    """Add the upper triangle, packed by rows, of ``sum_i v_i x_i x_i'`` over a block to ``sums``.

    Parameters
    ----------
    X : ndarray of shape (d, BLOCK)
        Feature-major; the first `m` columns are rows of data.
    v : ndarray of shape (m,)
    m : int
    sums : ndarray of shape (d (d + 1) / 2,)
    upcoming : ndarray of shape (any, BLOCK)
        To be fetched meanwhile, see `emmd.kernels.rows.prefetch`.
    """
    d = X.shape[0]
    whole, pairs = d - d % 4, d - d % 2
    fours = -(-d // 4)
    tile, share = 0, -(-upcoming.size // (fours * (fours + 1) // 2))
    for j in range(0, whole, 4):
        fetch(upcoming, tile, share)
        _tile_diagonal(X, v, m, j, sums)
        tile += 1
        for k in range(j + 4, whole, 4):
            fetch(upcoming, tile, share)
            _tile_4x4(X, v, m, j, k, sums)
            tile += 1
        if whole < d:
            fetch(upcoming, tile, share)
            tile += 1
        if whole < pairs:
            _tile_4x2(X, v, m, j, whole, sums)
        if pairs < d:
            _tile_4x1(X, v, m, j, pairs, sums)
    if whole < d:
        fetch(upcoming, tile, share)
    if whole < pairs:
        _tile_2x2(X, v, m, whole, sums)
    if pairs < d:
        for j in range(whole, d):
            _tile_1x1(X, v, m, j, d - 1, sums)
