"""Large problems from a memory-mapped file: time per row and memory, from 1e5 to 1e7 rows."""

import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import emmd
from experiments.bench.baseline import Runner
from experiments.bench.clock import Spread, threads
from experiments.bench.measurement import Measurement, Record, Row
from experiments.bench.problems import size_name

_FEATURES = 10
_SMALLEST = 100_000
_SIZES = (1_000_000, 10_000_000)
_PIECE = 250_000
_ITERATIONS = 20
_NEVER = 1e-300
"""A tolerance that no run meets: every run takes all its iterations."""


class Large(Measurement):
    """Processor time per row of one thread, as a ratio to that at 1e5 rows.

    Of a run of 20 iterations, and of one map evaluation at the third iterate, whose M-step knows of no path
    and takes more passes over the data than those of a run. The features lie in a ``.npy`` file that is
    handed to ``emmd.Problem`` memory-mapped. Each size runs in a process of its own, whose peak of resident
    memory, mapped pages included, is in the note.
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
    """Time both sizes, the small one before and after, so that a drift of the machine shows in the spread."""
    *before, _ = _apart(_SMALLEST)
    *large, memory = _apart(n)
    *after, _ = _apart(_SMALLEST)
    kinds = (f"{name}-run", f"a run of {_ITERATIONS} iterations"), (f"{name}-map", "one map evaluation")
    return [
        _record(*kind, n, taken, np.concatenate(small), memory)
        for kind, taken, *small in zip(kinds, large, before, after)
    ]


def _record(name, what, n, large, small, memory):
    return Record(
        name,
        "large",
        f"symmoline {size_name(n, _FEATURES)}, memory-mapped, {what}",
        f"{_SMALLEST:.0e} rows",
        Spread.of((large[:, None] / n / (small / _SMALLEST)).ravel()),
        "times as long per row",
        float(np.median(large)),
        float(np.median(small)),
        note=f"peak memory {memory / 1e9:.2f} GB",
    )


def _apart(n):
    with tempfile.TemporaryDirectory() as folder:
        _write(folder, n)
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(_steps, folder).result()


def _steps(folder):
    """Return processor times per iteration of runs and map evaluations, and the peak memory in bytes."""
    X, y = np.load(Path(folder, "X.npy"), mmap_mode="r"), np.load(Path(folder, "y.npy"))
    with threads(1):
        problem = emmd.Problem(emmd.SymMoLinE(_FEATURES), X, y)
        start = np.ones(2 * _FEATURES)
        repeats = max(5, 1_000_000 // len(y))
        runner = Runner(lambda theta, steps: _run(problem, theta, steps))
        runner.seconds(start, 1)
        runs = np.array([runner.seconds(start, _ITERATIONS) for _ in range(max(3, repeats // _ITERATIONS))])
        theta = _run(problem, start, 3)
        runner = Runner(lambda theta, steps: problem.em_step(theta))
        maps = np.array([runner.seconds(theta, 1) for _ in range(repeats)])
    # kilobytes everywhere but on macOS
    unit = 1 if sys.platform == "darwin" else 1024
    return runs, maps, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _run(problem, theta, steps):
    return emmd.minimize(problem, theta, tol=_NEVER, max_iter=steps).x


def _write(folder, n):
    """Write features and target piece by piece."""
    model, truth = emmd.SymMoLinE(_FEATURES), np.full(2 * _FEATURES, 0.5)
    path = Path(folder, "X.npy")
    features = np.lib.format.open_memmap(path, mode="w+", dtype=float, shape=(n, _FEATURES))
    y = np.empty(n)
    for first in range(0, n, _PIECE):
        piece = slice(first, min(first + _PIECE, n))
        features[piece], y[piece], _ = model.sample(truth, piece.stop - first, [n, first])
    features.flush()
    np.save(Path(folder, "y.npy"), y)


MEASUREMENT = Large()
