"""Doing runs: from a plan's entries to their results, wherever this is called."""

import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np
from threadpoolctl import ThreadpoolController

from emmd.core.discover import discover
from emmd.core.loop.solve import make_algorithm, minimize
from emmd.core.status import Status
from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.experiments.snr.plan.sample import STEP_WORDS
from emmd.experiments.snr.plan.seeds import seed_of
from emmd.experiments.snr.plan.source import Source
from emmd.experiments.snr.plan.starts import draw_start
from emmd.experiments.snr.run.version import code_version
from emmd.kernels.compile.threads import limit

FAILED = "error"
"""Status of a run that raised an exception; other statuses are those of `emmd.Status`, in lower case."""


@dataclass
class Outcome:
    """What a run left behind.

    Attributes
    ----------
    run : Run
    status : str
    reason : str
        How the path ended, or the exception.
    results : dict
        Numbers by name; None for what does not exist.
    trace : dict of ndarray
        Columns by name, same bits wherever the run is done.
    traceback : str
        Of the exception, or "".
    seconds : float
        Wall clock of the path.
    seconds_trace : ndarray
        Wall clock of each kept iterate.
    """

    run: object
    status: str
    reason: str
    results: dict = field(default_factory=dict)
    trace: dict = field(default_factory=dict)
    traceback: str = ""
    seconds: float = 0.0
    seconds_trace: np.ndarray = field(default_factory=lambda: np.empty(0))


def execute_all(runs, version):
    """Do some runs, one thread each, and return their `Outcome` objects.

    Raises
    ------
    ValueError
        When this process has other code than the one that planned the runs.
    """
    if code_version() != version:
        raise ValueError(
            f"every worker must run the code of this sweep, {version}, got a worker with {code_version()}"
        )
    with one_thread():
        return [execute(run) for run in runs]


@contextmanager
def one_thread():
    """Keep kernels and linear algebra to one thread, as all runs are done."""
    with limit(1), _libraries().limit(limits=1):
        yield


@cache
def _libraries():
    return ThreadpoolController()


def execute(run):
    """Do one run; an exception becomes an outcome with status ``error``, its reason and traceback."""
    try:
        return _Bench.of(run.data).measure(run)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        return Outcome(run, FAILED, reason, traceback=traceback.format_exc())


class _Bench:
    """One sample, and everything about it that its runs share."""

    def __init__(self, data):
        self.sample = _sources()[data.cell["source"]].draw(data.cell, seed_of(*data.names))
        self.once: dict = {}
        self.last_start: tuple = (None, None)

    @staticmethod
    def of(data):
        """Return the bench of some data; runs on the same data find it ready."""
        return _bench(data)

    def measure(self, run):
        """Follow one path and take its measures."""
        algorithm = self._shared(str(run.algorithm), lambda: self._algorithm(run.algorithm))
        start = self._start(run)
        self._load_kernels(start, algorithm)
        result = minimize(self.sample.problem, start, algorithm, record=True, **run.common["stopping"])
        reached = seconds_reached(result.trace)
        outcome = Outcome(run, Status(result.status).name.lower(), result.message, seconds=reached[-1])
        outcome.results = self._results(run, algorithm, start, result)
        if run.common["record"]["trace"]:
            kept = kept_iterates(result.nit, run.common["record"]["points"])
            outcome.trace = self._trace(result.trace, kept)
            outcome.seconds_trace = reached[kept]
        return outcome

    def _load_kernels(self, start, algorithm):
        """Take one step, once per process and kind of work: seconds hold no reading of compiled code."""
        model = self.sample.problem.model
        kind = (model.name, model.family.name if model.name == "moe" else "", algorithm.name)
        if kind not in _LOADED:
            minimize(self.sample.problem, start, algorithm, max_iter=1)
            _LOADED.add(kind)

    def _start(self, run):
        """Return the run's start; algorithms follow each other on one start, so the last one is kept."""
        if self.last_start[0] != run.start:
            drawn = draw_start(run.start, self.sample, seed_of("start", *run.data.names, run.start))
            self.last_start = (run.start, drawn)
        return self.last_start[1]

    def _shared(self, key, compute):
        if key not in self.once:
            self.once[key] = compute()
        return self.once[key]

    def _algorithm(self, plain):
        options = {key: value for key, value in plain.items() if key != "method"}
        if options.get("step_size") in STEP_WORDS:
            options["step_size"] = self.sample.step_size(plain["method"], options["step_size"])
        return make_algorithm(plain["method"], **options)

    def _results(self, run, algorithm, start, result):
        results = {
            "iterations": int(result.nit),
            "evaluations": int(result.nfev),
            "loss": float(result.fun),
        }
        results |= self.sample.ends(start, result.x)
        if hasattr(algorithm, "step_size") and not isinstance(algorithm.step_size, str):
            results["step_size"] = float(algorithm.step_size)
        for name in run.common["measures"]:
            results |= self._measured(_measures()[name], run, algorithm, result)
        return results

    def _measured(self, measure, run, algorithm, result):
        if measure.scope is Scope.RUN:
            return measure.measure(self.sample, algorithm, result)
        if measure.scope is Scope.SAMPLE:
            return self._shared(measure.name, lambda: measure.measure(self.sample))
        key = (measure.name, str(run.algorithm))
        return self._shared(key, lambda: measure.measure(self.sample, algorithm))

    def _trace(self, trace, kept):
        return {
            "iteration": kept.astype(float),
            "evaluations": trace.evaluations[kept].astype(float),
            "loss": trace.loss[kept],
            **self.sample.along(trace.theta[kept]),
        }


@lru_cache(maxsize=2)
def _bench(data):
    return _Bench(data)


_LOADED: set = set()


def seconds_reached(trace):
    """Return when each iterate of a path was reached, the first at 0.

    A trace says when an iterate was left; the last one is left after the final check of convergence,
    which is no part of the path.
    """
    return np.concatenate([[0.0], trace.seconds[:-1]])


def discover_all():
    """Import every source and measure."""
    return _sources(), _measures()


def _sources():
    return discover("emmd.experiments.snr.sources", Source, classes=True).plugins


def _measures():
    return discover("emmd.experiments.snr.measures", Measure).plugins


def kept_iterates(nit, points):
    """Return which of the iterates 0 .. nit are kept: at most `points`, evenly spaced in log(1 + t).

    Returns
    -------
    ndarray of int
        Ascending, with 0 and nit.
    """
    if nit + 1 <= points:
        return np.arange(nit + 1)
    return np.unique(np.rint(np.geomspace(1.0, nit + 1.0, points)).astype(int)) - 1
