"""Fetching the features of the next block while this one is computed.

A pass reads the features of a block at once and then computes with what it has read, while memory stands
still. Fetches go where the arithmetic is, a few cache lines before every strip of it: a processor keeps some
sixteen lines under way, and more at a time hold up what follows. So loops over the rows of a block are made
of strips, and steps that do much with the features fetch some as well; each is given features of its
own to fetch.
"""

from emmd.kernels.compile.jit import fetch_line, scalar
from emmd.kernels.rows.blocks import BLOCK

ROWS = 32
"""Rows of a strip: a constant, because short loops whose length varies take a tenth longer."""

STRIPS = BLOCK // ROWS

_LINE = 8
_AT_HAND = 1 << 17  # numbers, a megabyte, that lie in the second-level cache anyway
# features that a loop over rows, a third of a microsecond long, can fetch; of more the processor, which sees
# them read one after the other, brings the others by itself
_MOST = 10


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
    end = (part + 1) * size
    for place in range(part * size, end if end < upcoming.size else upcoming.size, _LINE):
        fetch_line(upcoming, place)


@scalar
def fetch_with_strip(upcoming, strip):
    """Begin to bring the share of one strip of a block's rows."""
    fetch(upcoming, strip, upcoming.size // STRIPS)


@scalar
def following(block, XB):
    """Return the block after this one; of the last one, itself."""
    return block + 1 if block + 1 < XB.shape[0] else block


@scalar
def fetched(XB):
    """Return how many features of the next block to fetch: none where all blocks are at hand anyway."""
    return XB.shape[1] if XB.size > _AT_HAND else 0


@scalar
def with_rows(features, gram):
    """Return how many features a loop over rows fetches; a Gram matrix, if any, fetches the others."""
    share = features // 2 if gram else features
    most = _MOST // 2 if gram else _MOST
    return share if share < most else most
