"""Time of one EM map evaluation with the exact M-step, one thread, against every baseline."""

import time

import numpy as np

from emmd.experiments.bench.baseline import Runner
from emmd.experiments.bench.clock import Spread, interleaved, threads
from emmd.experiments.bench.measurement import Measurement, Record, Row
from emmd.experiments.bench.problems import timed_problem

_PROBLEMS = (
    ("symmoline", 1_000, 2),
    ("symmoline", 10_000, 10),
    ("symmoline", 100_000, 10),
    ("symmoline", 100_000, 50),
    ("symmologe", 100_000, 10),
    ("gaussian", 100_000, 10, 2),
    ("gaussian", 100_000, 10, 4),
    ("gaussian", 100_000, 10, 8),
    ("poisson", 100_000, 10, 3),
    ("bernoulli", 100_000, 10, 3),
    ("gamma", 100_000, 10, 3),
    ("categorical3", 100_000, 10, 3),
    ("categorical10", 20_000, 50, 2),
)
_QUICK = (
    ("symmoline", 300, 2),
    ("symmologe", 300, 3),
    ("gaussian", 300, 3, 2),
    ("gaussian", 400, 3, 3),
    ("poisson", 300, 3, 3),
)
_STEPS = 3
_STRETCH = 2e-3


class Iteration(Measurement):
    """One evaluation of ``problem.em_step``, averaged over consecutive ones from the middle of a path.

    All contenders start at the same iterate (five EM steps from a start near the truth) and walk on from
    there, each warm-starting its inner Newton method at the last iterate, as in a run. Loss and exact
    M-step are part of an evaluation. Before the clock starts every answer after one and after all steps
    is compared with emmd's.
    """

    name = "iteration"
    order = 0

    def rows(self, options):
        """Return a row per problem."""
        problems = _QUICK if options.quick else _PROBLEMS
        return [self._row(spec, options) for spec in problems]

    def _row(self, spec, options):
        kind, n, d, *experts = spec
        label = f"{kind}{f'-K{experts[0]}' if experts else ''}-{n}x{d}"
        name = f"{self.name}/{label}"
        return Row(name, lambda: compare(name, self.name, timed_problem(*spec), options))


def compare(row, measurement, timed, options):
    """Time emmd and all baselines that can solve a problem; return a `Record` for each baseline."""
    with threads(1):
        emmd = Runner(lambda theta, steps: timed.walk(steps, theta))
        steps = _steps(emmd, timed)
        ready, records = {}, []
        for baseline in options.baselines:
            if baseline.refuses(timed):
                continue
            runner, facts = _make_ready(baseline, timed, steps)
            if facts.get("refused"):
                records.append(_record(row, measurement, timed, baseline, None, facts))
            else:
                ready[baseline] = runner, facts
        runners = {"emmd": emmd, **{baseline.name: runner for baseline, (runner, _) in ready.items()}}
        calls = {name: lambda r=runner: r.seconds(timed.theta, steps) for name, runner in runners.items()}
        most = {baseline.name: baseline.most_rounds for baseline in ready}
        taken = interleaved(calls, options.seconds * len(calls) / 2.0, most)
    return records + [
        _record(row, measurement, timed, baseline, taken, facts) for baseline, (_, facts) in ready.items()
    ]


def _steps(emmd, timed):
    """Return how many evaluations make a stretch that the clock can resolve."""
    emmd.seconds(timed.theta, 1)
    one = max(emmd.seconds(timed.theta, 3), 1e-7)
    return int(np.clip(np.ceil(_STRETCH / one), _STEPS, 100))


def _make_ready(baseline, timed, steps) -> tuple[Runner, dict]:
    """Prepare and compile a baseline, and compare its answers with emmd's."""
    runner = baseline.prepare(timed)
    began = time.perf_counter()
    first = runner.advance(timed.theta, 1)
    middle = time.perf_counter()
    last = runner.advance(timed.theta, steps)
    if baseline.floor:
        return runner, {}
    compiled = middle - began - (time.perf_counter() - middle) / steps
    pairs = ((first, timed.walk(1)), (last, timed.walk(steps)))
    difference = max(_difference(timed, answer, expected) for answer, expected in pairs)
    refused = ""
    tolerance = baseline.tolerance(timed)
    if not difference <= tolerance:
        refused = f"it differs from emmd by {difference:.1e}, more than {tolerance:.0e}"
    return runner, {
        "difference": difference,
        "tolerance": tolerance,
        "compile_seconds": max(compiled, 0.0) if baseline.compiles else None,
        "refused": refused,
    }


def _difference(timed, answer, expected):
    problem = timed.problem
    return float(problem.model.relative_size(problem.data, answer - expected, expected))


def _record(row, measurement, timed, baseline, taken, facts):
    meaning = "times the floor" if baseline.floor else "times faster"
    if taken is None:
        return Record(row, measurement, timed.name, baseline.title, None, meaning, **facts)
    mine, theirs = taken["emmd"], taken[baseline.name]
    ratio = Spread.of_ratio(mine, theirs) if baseline.floor else Spread.of_ratio(theirs, mine)
    medians = float(np.median(mine)), float(np.median(theirs))
    return Record(row, measurement, timed.name, baseline.title, ratio, meaning, *medians, **facts)


MEASUREMENT = Iteration()
