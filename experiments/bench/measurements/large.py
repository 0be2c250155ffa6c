"""Large problems from a memory-mapped file: time per row and memory, from 1e5 to 1e7 rows."""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numba
import numpy as np

import emmd
from emmd.experiments.bench.baseline import Runner
from emmd.experiments.bench.clock import Spread
from emmd.experiments.bench.measurement import Measurement, Record, Row
from emmd.experiments.bench.problems import size_name

_FEATURES = 10
_SMALLEST = 100_000
_SIZES = (1_000_000, 10_000_000)
_CHUNK = 250_000
_ROWS = 2_000_000
"""Runs that are timed before the other size has its turn work on as many rows together, or once on all."""
_ROUNDS = 7
_ITERATIONS = 20
_START = np.ones(2 * _FEATURES)
_KINDS = {
    "run": f"a run of {_ITERATIONS} iterations",
    "map": "one map evaluation",
    "read": "reading the features once",
}
_NEVER = 1e-300
"""A tolerance that no run meets: every run takes all its iterations."""
_problem: Any = None
_third: Any = None
"""Problem and third iterate of a process that `_apart` has made."""


class Large(Measurement):
    """Processor time per row of one thread, as a ratio to that at 1e5 rows.

    Of a run of 20 iterations, and of one map evaluation at the third iterate, whose M-step knows of no path
    and takes more passes over the data than those of a run; and of reading the features once, which tells
    what memory is worth just then beside the cache that holds 1e5 rows. The features lie in a ``.npy`` file
    that is handed to ``emmd.Problem`` memory-mapped. Each size runs in a process of its own, whose peak of
    resident memory, mapped pages included, is in the note.
    """

    name = "large"
    order = 5

    def rows(self, options):
        """Return a row per size, when asked for."""
        if not options.large:
            return []
        return [self._row(n) for n in ([2 * _SMALLEST] if options.quick else _SIZES)]

    def _row(self, n):
        name = f"{self.name}/symmoline-{n}x{_FEATURES}"
        return Row(name, lambda: _compare(name, n))


def _compare(name, n):
    """Time both sizes in turn, the small one before and after, so that a drift of the machine is in both."""
    with _apart(_SMALLEST) as small, _apart(n) as large:
        turns = [
            [[pool.submit(_time, kind).result() for pool in (small, large, small)] for kind in _KINDS]
            for _ in range(_ROUNDS)
        ]
        memory = large.submit(_peak).result()
    before, taken, after = np.array(turns).T
    triples = zip(_KINDS.items(), taken, 0.5 * (before + after))
    return [
        _record(f"{name}-{kind}", what, n, of_large, of_small, memory)
        for (kind, what), of_large, of_small in triples
    ]


def _record(name, what, n, large, small, memory):
    return Record(
        name,
        "large",
        f"symmoline {size_name(n, _FEATURES)}, memory-mapped, {what}",
        f"{_SMALLEST:.0e} rows",
        Spread.of((large / n) / (small / _SMALLEST)),
        "times as long per row",
        float(np.median(large)),
        float(np.median(small)),
        note=f"peak memory {memory / 1e9:.2f} GB",
    )


@contextmanager
def _apart(n):
    """Make a process with a problem of n rows, from files that lie there as long as it does."""
    with tempfile.TemporaryDirectory() as folder:
        _write(folder, n)
        with ProcessPoolExecutor(1, get_context("spawn"), _open, (folder,)) as pool:
            yield pool


def _open(folder):
    global _problem, _third
    X, y = np.load(Path(folder, "X.npy"), mmap_mode="r"), np.load(Path(folder, "y.npy"))
    numba.set_num_threads(1)
    _problem = emmd.Problem(emmd.SymMoLinE(_FEATURES), X, y)
    _third = _run(_START, 3)


def _time(kind):
    """Return the median processor time of an iteration of runs, of map evaluations, or of reading."""
    advance, theta, steps, share = {
        "run": (_run, _START, _ITERATIONS, 1),
        "map": (lambda theta, steps: _problem.em_step(theta), _third, 1, 3),
        "read": (lambda theta, steps: _problem.data.design.XB.sum(), _third, 1, 3),
    }[kind]
    repeats = share * max(1, _ROWS // _problem.n_rows)
    return np.median([Runner(advance).seconds(theta, steps) for _ in range(repeats)])


def _peak():
    """Return the process's peak of resident memory in bytes, or NaN where the system does not tell."""
    try:
        import resource
    except ModuleNotFoundError:
        return float("nan")
    # kilobytes everywhere but on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _run(theta, steps):
    return emmd.minimize(_problem, theta, tol=_NEVER, max_iter=steps).x


def _write(folder, n):
    """Write features and target chunk by chunk."""
    model, truth = emmd.SymMoLinE(_FEATURES), np.full(2 * _FEATURES, 0.5)
    path = Path(folder, "X.npy")
    features = np.lib.format.open_memmap(path, mode="w+", dtype=float, shape=(n, _FEATURES))
    y = np.empty(n)
    for first in range(0, n, _CHUNK):
        chunk = slice(first, min(first + _CHUNK, n))
        features[chunk], y[chunk], _ = model.sample(truth, chunk.stop - first, [n, first])
    features.flush()
    np.save(Path(folder, "y.npy"), y)


MEASUREMENT = Large()
