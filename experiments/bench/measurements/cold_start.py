"""From starting a process to the first result, with compiled kernels on disk and without."""

import os
import subprocess
import sys
import tempfile
import time
from functools import partial

from emmd.experiments.bench.clock import Spread, interleaved
from emmd.experiments.bench.measurement import Measurement, Record, Row

_FIT = """
import numpy as np, emmd
model = emmd.SymMoLinE(3)
X, y, _ = model.sample(np.ones(6), 500, 0)
assert emmd.minimize(emmd.Problem(model, X, y), np.ones(6)).success
print("ready", flush=True)
"""
_LIBRARIES = "import numba, numpy, scipy.linalg; print('ready', flush=True)"


class ColdStart(Measurement):
    """A new process imports emmd, loads or compiles kernels and fits a small model; against its libraries."""

    name = "cold-start"
    order = 4

    def rows(self, options):
        """Return two rows: the second start ever, and the first."""
        second, first = f"{self.name}/second", f"{self.name}/first-ever"
        rows = [Row(second, lambda: [_second(second, options)])]
        return rows if options.quick else [*rows, Row(first, lambda: [_first(first)])]


def _seconds(script, **environment):
    """Return the time from the start of a process to the line it prints; its end is not waited for."""
    began = time.perf_counter()
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment}) as process:
        line = next(iter(process.stdout or []), b"")
        taken = time.perf_counter() - began
    if process.returncode or line.strip() != b"ready":
        raise subprocess.CalledProcessError(process.returncode, command, line)
    return taken


def _second(name, options):
    _seconds(_FIT)
    calls = {"emmd": partial(_seconds, _FIT), "libraries": partial(_seconds, _LIBRARIES)}
    return _record(name, interleaved(calls, options.seconds, {}), "second start to the first result")


def _first(name):
    with tempfile.TemporaryDirectory() as folder:
        calls = {
            "emmd": partial(_seconds, _FIT, EMMD_CACHE_DIR=folder),
            "libraries": partial(_seconds, _LIBRARIES),
        }
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
