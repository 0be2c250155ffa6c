"""The threads that share the rows: how many there are, and who wakes them.

A pass over the data takes a fraction of a millisecond, so waking a thread must take microseconds: Numba's
OpenMP or TBB layer does that, for its threads look out for work a little while before they sleep. Where it
cannot be used (it is missing, or this process was forked from one whose threads it cannot have), a pool of
Python threads does the same in a tenth of a millisecond.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import numba
from numba.np.ufunc import parallel

# their names are made at run time, out of sight of a type checker
_parallel: Any = parallel
_config: Any = numba.config

_SPINS = "5000"
"""How often an idle OpenMP thread looks for work before it sleeps: about a fifth of a millisecond.

OpenMP's own default is several milliseconds, for which it takes a core from other programs; on a busy machine
every pass then waits for a time slice.
"""


def number_of_threads():
    """Return how many threads emmd's kernels may use in the calling thread, as ``numba.get_num_threads``."""
    _launch()
    # numba.get_num_threads takes two locks before it asks this: a percent of a step on 1e5 rows
    return _parallel._get_num_threads()


@contextmanager
def limit(count):
    """Let emmd's kernels use a number of threads, in the calling thread.

    Parameters
    ----------
    count : int
        At most ``numba.config.NUMBA_NUM_THREADS``.
    """
    before = number_of_threads()
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


def pool(n_threads):
    """Return a pool of Python threads that belongs to this process."""
    return _pool(n_threads, os.getpid())


@lru_cache(maxsize=4)
def _pool(n_threads, process_id):
    # keyed by the process: a forked child must not wait for threads that only its parent has
    return ThreadPoolExecutor(n_threads, thread_name_prefix="emmd")
