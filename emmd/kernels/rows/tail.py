"""The last block of rows, padded to a whole one: loops over whole blocks have one form, and that is fast.

The rows added have predictors, target and weight zero, and add nothing to any sum.
"""

from emmd.kernels.compile.jit import kernel
from emmd.kernels.rows.reduce import BLOCK


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
