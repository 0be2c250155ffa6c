"""How long a plan will take and how large its store will be, from a few pilot runs."""

import time
from dataclasses import dataclass

from experiments.snr.execute import execute
from experiments.snr.seeds import canonical
from experiments.snr.warm_up import warm_up

_ROW_BYTES = 2500
"""Of a run without its trace: config, results, indices."""

_PILOT_SECONDS = 5.0


@dataclass(frozen=True)
class Estimate:
    """The size of a plan.

    Attributes
    ----------
    cells, samples, runs : int
    seconds : float
        On one core.
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
        kinds.setdefault((run.data.cell.get("model"), canonical(run.algorithm)), []).append(run)
    warm_up(plan.runs)
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
    began = time.perf_counter()
    execute(run)
    middle = time.perf_counter()
    outcome = execute(run)
    stored = sum(column.nbytes for column in outcome.trace.values()) + outcome.seconds_trace.nbytes
    again = time.perf_counter() - middle
    return _Pilot(run.data.key, middle - began, again, stored + _ROW_BYTES)
