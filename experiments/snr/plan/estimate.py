"""How long a plan will take and how large its store will be, from a few pilot runs."""

import time
from dataclasses import dataclass

from emmd.core.status import Status
from emmd.experiments.snr.plan.seeds import canonical
from emmd.experiments.snr.run.execute import execute, one_thread
from emmd.experiments.snr.run.warm_up import warm_up

_ROW_BYTES = 2500
"""Of a run without its trace: config, results, indices."""

_KIND = ("model", "data", "n_experts", "gate")
"""Keys of a cell whose values are tried one by one."""

_PILOT_SECONDS = 5.0

_FIRST_STEPS, _LONGER = 3, 10
"""A pilot takes a few steps, then ten times as many, and so on until it ends or gets too long."""

_CUT = Status.ITERATION_LIMIT.name.lower()

_LONGEST = 2.0
"""Seconds; a path that would take longer is extrapolated to its iteration limit."""


@dataclass(frozen=True)
class Estimate:
    """The size of a plan.

    Attributes
    ----------
    cells, samples, runs : int
    seconds : float
        On one core; where a run is long, as if it went to its iteration limit.
    megabytes : float
    pilots : int
        Runs that the estimate rests on.
    """

    cells: int
    samples: int
    runs: int
    seconds: float
    megabytes: float
    pilots: int


def estimate(plan):
    """Do a few runs of a plan, one per model and algorithm first, and extrapolate.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Estimate
    """
    kinds: dict = {}
    for run in plan.runs:
        kind = [run.data.cell.get(key) for key in _KIND]
        kinds.setdefault((*kind, canonical(run.algorithm)), []).append(run)
    warm_up(plan.runs)
    with one_thread():
        pilots = _pilots(list(kinds.values()))
    seconds, size = _set_up(pilots) * plan.n_samples, 0.0
    for kind, done in zip(kinds.values(), pilots):
        seconds += len(kind) * sum(pilot.again for pilot in done) / len(done)
        size += len(kind) * sum(pilot.size for pilot in done) / len(done)
    count = sum(len(done) for done in pilots)
    return Estimate(plan.n_cells, plan.n_samples, len(plan.runs), seconds, size / 1e6, count)


@dataclass(frozen=True)
class _Pilot:
    """A run done twice: only the first time pays for what runs on the same sample share."""

    sample: str
    first: float
    again: float
    size: int


def _set_up(pilots):
    """Seconds that a sample costs, whatever the number of its runs."""
    everyone = [pilot for done in pilots for pilot in done]
    samples = {pilot.sample for pilot in everyone}
    return sum(max(pilot.first - pilot.again, 0.0) for pilot in everyone) / len(samples)


def _pilots(kinds):
    """Pilot runs of each kind: one at least, then more of them spread over its cells while time allows."""
    began = time.perf_counter()
    done: list = [[] for _ in kinds]
    for share in (0.5, 0.0, 0.99, 0.25, 0.75):
        for kind, costs in zip(kinds, done):
            if not costs or time.perf_counter() - began < _PILOT_SECONDS:
                costs.append(_pilot(kind[int(share * len(kind))]))
    return done


def _pilot(run):
    limit = run.common["stopping"]["max_iter"]
    steps = min(_FIRST_STEPS, limit)
    first, _, _ = _timed(run.with_limit(steps))
    while True:
        again, outcome, size = _timed(run.with_limit(steps))
        if steps == limit or outcome.status != _CUT:
            return _Pilot(run.data.key, first + again, again, size + _ROW_BYTES)
        if _LONGER * outcome.seconds > _LONGEST:
            break
        steps = min(_LONGER * steps, limit)
    rows = 1.0
    if outcome.trace:
        rows = min(limit + 1, run.common["record"]["points"]) / len(outcome.seconds_trace)
    scoring = rows * max(again - outcome.seconds, 0.0)
    whole = outcome.seconds * limit / steps + scoring
    return _Pilot(run.data.key, first + whole, whole, int(size * rows) + _ROW_BYTES)


def _timed(run):
    """Do a run; return its seconds, its outcome and the bytes of its trace."""
    began = time.perf_counter()
    outcome = execute(run)
    size = sum(column.nbytes for column in outcome.trace.values()) + outcome.seconds_trace.nbytes
    return time.perf_counter() - began, outcome, size
