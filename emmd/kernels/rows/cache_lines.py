"""Arrays whose rows begin where cache lines do.

A vector of eight numbers that crosses from one cache line into the next takes two loads. Memory as it comes
begins at a quarter of a line, where every such load crosses: passes over small data take up to twice as long.
"""

import numpy as np

from emmd.kernels.compile.jit import allocating
from emmd.kernels.rows.reduce import BLOCK

_LINE = 8


def large_block_rows(count):
    """Return an array of shape (count, BLOCK), not initialised, that begins with a cache line.

    Made by NumPy, which asks the system for large pages where there is much of it.
    """
    raw = np.empty(count * BLOCK + _LINE - 1)
    first = (_LINE - raw.ctypes.data // 8 % _LINE) % _LINE
    return raw[first : first + count * BLOCK].reshape(count, BLOCK)


block_rows = allocating(large_block_rows)
"""The same for kernels."""
