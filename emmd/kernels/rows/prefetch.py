"""Fetching the features of the next block while this one is computed.

A pass reads the features of a block at once and then computes with what it has read, while memory stands
still. Fetches go where the arithmetic is, a few cache lines before every piece of it: a processor keeps some
sixteen lines under way, and more at a time hold up what follows. So loops over the rows of a block are made
of pieces, and steps that do much with the features fetch some as well; each is given features of its
own to fetch.
"""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function, voidptr_t
from numba.extending import intrinsic

from emmd.kernels.compile.jit import scalar
from emmd.kernels.rows.reduce import BLOCK

ROWS = 32
"""Rows of a piece: a constant, because short loops whose length varies take a tenth longer."""

PIECES = BLOCK // ROWS

_LINE = 8
_AT_HAND = 1 << 17  # numbers, a megabyte, that lie in the second-level cache anyway
# features that a loop over rows, a third of a microsecond long, can fetch; of more the processor, which sees
# them read one after the other, brings the others by itself
_MOST = 10
_INTO_SECOND_LEVEL = 2
_READ, _DATA = 0, 1
_config: Any = numba.config


@intrinsic
def _fetch_line(context, array, place):
    def generate(context, builder, signature, arguments):
        whole = context.make_array(signature.args[0])(context, builder, arguments[0])
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [voidptr_t, number, number, number])
        fetch = get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        address = builder.bitcast(builder.gep(whole.data, [arguments[1]]), voidptr_t)
        builder.call(fetch, [address, *(number(each) for each in (_READ, _INTO_SECOND_LEVEL, _DATA))])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _nothing(array, place):
    pass


_line: Any = _nothing if _config.DISABLE_JIT else _fetch_line


@scalar
def fetch(upcoming, part, size):
    """Begin to bring a part of an array into the second-level cache; nothing waits for it.

    Parameters
    ----------
    upcoming : ndarray
        Contiguous, float64.
    part, size : int
        The numbers from place ``part * size`` to ``(part + 1) * size``, as far as there are any.
    """
    for place in range(part * size, min((part + 1) * size, upcoming.size), _LINE):
        _line(upcoming, place)


@scalar
def fetch_with_piece(upcoming, piece):
    """Begin to bring the share of one piece of a block's rows."""
    fetch(upcoming, piece, upcoming.size // PIECES)


@scalar
def following(block, XB):
    """Return the block after this one; of the last one, itself."""
    return min(block + 1, XB.shape[0] - 1)


@scalar
def fetched(XB):
    """Return how many features of the next block to fetch: none where all blocks are at hand anyway."""
    return XB.shape[1] if XB.size > _AT_HAND else 0


@scalar
def with_rows(features, gram):
    """Return how many features a loop over rows fetches; a Gram matrix, if any, fetches the others."""
    return min(features // 2, _MOST // 2) if gram else min(features, _MOST)
