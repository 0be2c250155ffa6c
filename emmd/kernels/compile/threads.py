"""The threads that share the rows: how many there are.

A pass over the data takes a fraction of a millisecond, so waking a thread must take microseconds: Numba's
OpenMP or TBB layer does that, for its threads look out for work a little while before they sleep. Where
neither can be used (both are missing, or this process was forked from one whose threads it cannot have), one
thread does all the work.
"""

import os
from contextlib import contextmanager
from functools import cache
from typing import Any

import numba

_config: Any = numba.config  # its names are made at run time, out of sight of a type checker

_SPINS = "5000"
"""How often an idle OpenMP thread looks for work before it sleeps: about a fifth of a millisecond.

OpenMP's own default is several milliseconds, for which it takes a core from other programs; on a busy machine
every pass then waits for a time slice.
"""


def number_of_threads():
    """Return how many threads emmd's kernels may use in the calling thread."""
    return numba.get_num_threads() if native() else 1


@contextmanager
def limit(count):
    """Let emmd's kernels use a number of threads, in the calling thread.

    Parameters
    ----------
    count : int
        At most ``numba.config.NUMBA_NUM_THREADS``.
    """
    _launch()
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(before)


@cache
def _launch():
    """Start Numba's threads; return the process that owns them."""
    ours = not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ)
    if ours:
        # read once, when the library is loaded
        os.environ["GOMP_SPINCOUNT"] = _SPINS
    try:
        numba.get_num_threads()
    finally:
        if ours:
            del os.environ["GOMP_SPINCOUNT"]
    return os.getpid()


def native():
    """Return whether compiled loops may use Numba's threads from any Python thread of this process."""
    return _native(os.getpid())


@cache
def _native(process_id):
    if _config.DISABLE_JIT or _launch() != process_id:
        return False
    # the third layer, workqueue, ends the program when two Python threads use it at once
    return numba.threading_layer() in ("omp", "tbb")
