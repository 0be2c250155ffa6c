"""Rows of an array a chunk at a time; pages of a memory-mapped file are given back after their use."""

import mmap

import numpy as np

from emmd.kernels.rows.blocks import CHUNK

ROWS = 16 * CHUNK


def chunks_of_rows(array):
    """Yield the first row and a chunk of at most `ROWS` rows, until the array is through.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        A view of a file that `numpy.memmap` has opened for reading counts as resident memory wherever it was
        read; its pages are dropped chunk by chunk, so that a file larger than the memory can be read.
    """
    mapped = _mapped_file(array)
    for start in range(0, len(array), ROWS):
        yield start, array[start : start + ROWS]
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def _mapped_file(array):
    """Return the memory map behind a view, or None: a private map would lose what was written to it."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.mode == "c":
            return None
        array = array.base
    return array if isinstance(array, mmap.mmap) and hasattr(array, "madvise") else None
