"""Blocks of rows: how long they are, arrays to work on one, and the last one, padded.

Loops over whole blocks have one form, and that is fast. The rows that are added to the last block have
predictors, target and weight zero, and add nothing to any sum.

Work arrays begin where cache lines do. A vector of eight numbers that crosses from one cache line into the
next takes two loads. Memory as it comes begins at a quarter of a line, where every such load crosses: passes
over small data take up to twice as long.
"""

import numpy as np

from emmd.kernels.compile.jit import allocating, kernel, scalar

BLOCK = 256
"""Rows handled at a time inside a chunk; a block of every work array stays in the first-level cache."""

CHUNK = 4096
"""Rows per partial sum. Part of the numerical contract: changing it changes last digits."""

PER_CHUNK = CHUNK // BLOCK
"""Blocks in a chunk."""

_LINE = 8


@scalar
def end_block(last, XB):
    """Return the number of the first block behind the chunks before `last`."""
    end = last * PER_CHUNK
    return end if end < XB.shape[0] else XB.shape[0]


@scalar
def rows_of_block(lo, n):
    """Return how many of n rows lie in the block that begins with row `lo`."""
    rest = n - lo
    return rest if rest < BLOCK else BLOCK


def large_block_rows(count):
    """Return an array of shape (count, BLOCK), not initialised, that begins with a cache line.

    Made by NumPy, which asks the system for large pages where there is much of it.
    """
    raw = np.empty(count * BLOCK + _LINE - 1)
    first = (_LINE - raw.ctypes.data // 8 % _LINE) % _LINE
    return raw[first : first + count * BLOCK].reshape(count, BLOCK)


block_rows = allocating(large_block_rows)
"""The same for kernels."""


@kernel
def copy(rows, m, out):
    """Copy the first `m` numbers."""
    for i in range(m):
        out[i] = rows[i]


@kernel
def clear(rows, m):
    """Write zeros behind the first `m` numbers of a block's rows."""
    for i in range(m, BLOCK):
        rows[i] = 0.0


@kernel
def pad(rows, m, out):
    """Copy the first `m` numbers of a block's rows, and write zeros behind them."""
    copy(rows, m, out)
    clear(out, m)
