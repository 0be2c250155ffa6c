"""Sums over rows in fixed chunks, added in order: the same bits at any thread count.

A chunk kernel has the signature ``kernel(first, last, partials, *arrays)``: it
handles the chunks ``first <= k < last``, each `CHUNK` rows long, and writes the
sums of chunk ``k`` into ``partials[k]``.  Which thread runs which chunks never
changes a partial sum, and the partial sums are added in the order of the rows.
"""

from functools import cache

import numpy as np

from emmd.kernels.compile.jit import allocating, deciding, in_shares, named_after
from emmd.kernels.compile.threads import number_of_threads
from emmd.kernels.rows.blocks import CHUNK

PARALLEL_ROWS = 16_384
"""Below this many rows one thread is faster than handing work to two."""


def n_chunks(n_rows):
    """Return the number of chunks that cover `n_rows` rows."""
    return -(-n_rows // CHUNK)


@deciding
def add_up(partials):
    """Add the partial sums of all chunks to those of the first, in the order of the rows."""
    for chunk in range(1, partials.shape[0]):
        for k in range(partials.shape[1]):
            partials[0, k] += partials[chunk, k]


@cache
def _edges(chunks, threads):
    """Return where the threads' shares of the chunks begin and end; nobody may write to it."""
    return np.arange(threads + 1) * chunks // threads


def shares(n_rows):
    """Return where the threads' shares of the rows begin and end, in chunks, shape (threads + 1,)."""
    chunks = n_chunks(n_rows)
    return _edges(chunks, min(number_of_threads(), chunks) if n_rows >= PARALLEL_ROWS else 1)


@cache
def in_turn(chunk_kernel):
    """Return what `in_shares` does, ``(edges, partials, *arguments)``, in one thread."""

    @allocating
    @named_after(chunk_kernel)
    def turns(edges, partials, *arguments):
        chunk_kernel(edges[0], edges[edges.shape[0] - 1], partials, *arguments)

    return turns


def run_rows(kernel, n_rows, *args):
    """Run a chunk kernel that writes per-row results only (nothing is summed)."""
    edges, partials = shares(n_rows), np.empty((1, 1))
    if len(edges) == 2:
        kernel(0, edges[1], partials, *args)
    else:
        in_shares(kernel)(edges, partials, *args)


def sum_rows(kernel, n_rows, width, *args):
    """Run a chunk kernel and add its partial sums in the order of the rows.

    Parameters
    ----------
    kernel : compiled chunk kernel
    n_rows : int
    width : int
        Number of sums per chunk.
    *args
        Passed to the kernel after ``(first, last, partials)``.

    Returns
    -------
    ndarray of shape (width,)
    """
    edges, partials = shares(n_rows), np.zeros((n_chunks(n_rows), width))
    if len(edges) == 2:
        kernel(0, edges[1], partials, *args)
    else:
        in_shares(kernel)(edges, partials, *args)
    # nothing to add up: small problems do not compile the sum
    if len(partials) > 1:
        add_up(partials)
    return partials[0]
