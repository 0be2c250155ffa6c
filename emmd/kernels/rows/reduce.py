"""Sums over rows in fixed chunks, added in order: the same bits at any thread count.

A chunk kernel has the signature ``kernel(first, last, partials, *arrays)``: it
handles the chunks ``first <= k < last``, each `CHUNK` rows long, and writes the
sums of chunk ``k`` into ``partials[k]``.  Which thread runs which chunks never
changes a partial sum, and the partial sums are added in the order of the rows.
"""

from functools import cache
from itertools import pairwise

import numpy as np

from emmd.kernels.compile.jit import allocating, in_shares, named_after
from emmd.kernels.compile.threads import native, number_of_threads, pool

CHUNK = 4096
"""Rows per partial sum. Part of the numerical contract: changing it changes last digits."""

BLOCK = 256
"""Rows handled at a time inside a chunk; a block of every work array stays in the first-level cache."""

PARALLEL_ROWS = 16_384
"""Below this many rows one thread is faster than handing work to two."""

SAMPLED_ROWS = 98_304
"""From this many rows on M-steps look at samples of them, see `emmd.kernels.solvers.remainder`."""


def n_chunks(n_rows):
    """Return the number of chunks that cover `n_rows` rows."""
    return -(-n_rows // CHUNK)


@allocating
def total(partials):
    """Add the partial sums of all chunks in the order of the rows, shape (width,)."""
    sums = partials[0].copy()
    for chunk in range(1, partials.shape[0]):
        for k in range(sums.shape[0]):
            sums[k] += partials[chunk, k]
    return sums


@cache
def _edges(chunks, threads):
    """Return where the threads' shares of the chunks begin and end; nobody may write to it."""
    return np.arange(threads + 1) * chunks // threads


def _shares(n_rows):
    """Return where the threads' shares of the rows begin and end, in chunks."""
    chunks = n_chunks(n_rows)
    return _edges(chunks, min(number_of_threads(), chunks) if n_rows >= PARALLEL_ROWS else 1)


def compiled_shares(n_rows):
    """Return the threads' shares of the rows; None where compiled code cannot wake the threads.

    Returns
    -------
    edges : ndarray of int or None
        For the kernels of `in_turn` where `takes_turns` says so, else for those of `in_shares`.
    """
    edges = _shares(n_rows)
    return edges if takes_turns(edges, n_rows) or native() else None


def takes_turns(edges, n_rows):
    """Return whether one thread does it all by kernels that know of no sample.

    They are what a first start compiles; samples are left to the kernels of larger data.
    """
    return len(edges) == 2 and n_rows < SAMPLED_ROWS


@cache
def in_turn(chunk_kernel):
    """Return what `in_shares` does, ``(edges, partials, *arguments)``, in one thread."""

    @allocating
    @named_after(chunk_kernel)
    def turns(edges, partials, *arguments):
        chunk_kernel(edges[0], edges[edges.shape[0] - 1], partials, *arguments)

    return turns


def _each_share(kernel, n_rows, partials, args):
    edges = _shares(n_rows)
    if len(edges) == 2:
        kernel(0, n_chunks(n_rows), partials, *args)
    elif native():
        in_shares(kernel)(edges, partials, *args)
    else:
        _each_share_from_python(kernel, edges.tolist(), partials, args)


def _each_share_from_python(kernel, edges, partials, args):
    own, *others = pairwise(edges)
    workers = pool(len(others))
    shares = [workers.submit(kernel, lo, hi, partials, *args) for lo, hi in others]
    # this thread works too: waking one thread fewer is most of what sharing costs
    kernel(*own, partials, *args)
    for share in shares:
        share.result()


def run_rows(kernel, n_rows, *args):
    """Run a chunk kernel that writes per-row results only (nothing is summed)."""
    _each_share(kernel, n_rows, np.empty((1, 1)), args)


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
    partials = np.zeros((n_chunks(n_rows), width))
    _each_share(kernel, n_rows, partials, args)
    return total(partials)
