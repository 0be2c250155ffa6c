"""From starting a process to the first result, with compiled kernels on disk and without."""

import os
import subprocess
import sys
import tempfile

from experiments.bench.clock import Spread, interleaved, wall
from experiments.bench.measurement import Measurement, Record, Row

_FIT = """
import numpy as np, emmd
model = emmd.SymMoLinE(3)
X, y, _ = model.sample(np.ones(6), 500, 0)
assert emmd.minimize(emmd.Problem(model, X, y), np.ones(6)).success
"""
_LIBRARIES = "import numba, numpy, scipy.linalg"


class ColdStart(Measurement):
    """A new process imports emmd, loads or compiles kernels and fits a small model; against its libraries."""

    name = "cold-start"
    order = 4

    def rows(self, options):
        """Return two rows: the second start ever, and the first."""
        second, first = f"{self.name}/second", f"{self.name}/first-ever"
        rows = [Row(second, lambda: [_second(second, options)])]
        return rows if options.quick else [*rows, Row(first, lambda: [_first(first)])]


def _python(script, **environment):
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, **environment})


def _second(name, options):
    _python(_FIT)
    calls = {"emmd": wall(lambda: _python(_FIT)), "libraries": wall(lambda: _python(_LIBRARIES))}
    return _record(name, interleaved(calls, options.seconds, {}), "second start to the first result")


def _first(name):
    with tempfile.TemporaryDirectory() as folder:
        cold = wall(lambda: _python(_FIT, EMMD_CACHE_DIR=folder))
        calls = {"emmd": cold, "libraries": wall(lambda: _python(_LIBRARIES))}
        return _record(name, interleaved(calls, 0.0, {"emmd": 1}), "first start ever to the first result")


def _record(name, taken, what):
    return Record(
        name,
        "cold-start",
        what,
        "importing numba and scipy.linalg",
        Spread.of_ratio(taken["emmd"], taken["libraries"]),
        "times as long",
        Spread.of(taken["emmd"]).median,
        Spread.of(taken["libraries"]).median,
    )


MEASUREMENT = ColdStart()
