"""Several threads against one: the wall-clock time of one EM map evaluation.

A second core is not always there as a whole: other programs, or other guests of the same machine, take their
share of it. What it is worth just then is told by steps that share nothing, one in each thread.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from emmd.experiments.bench.clock import Spread, interleaved, threads, wall
from emmd.experiments.bench.measurement import Measurement, Record, Row
from emmd.experiments.bench.problems import timed_problem
from emmd.kernels.rows.reduce import PARALLEL_ROWS

_PROBLEMS = (
    ("symmoline", 1_000, 2),
    ("symmoline", 10_000, 10),
    ("symmoline", 100_000, 10),
    ("symmologe", 100_000, 10),
    ("gaussian", 100_000, 10, 2),
    ("poisson", 100_000, 10, 3),
    ("categorical3", 100_000, 10, 3),
    ("symmoline", 1_000_000, 10),
)
_STEPS = 3
_MANY = 4
_BASELINES = {"one": "one thread", "apart": "steps apart"}
_MEANINGS = {
    "one": "times faster with {} threads",
    "apart": "times as fast as {} steps at once, one thread each",
}


class Threads(Measurement):
    """``problem.em_step`` with two threads (as many as there are, if fewer) against one, same bits.

    And, where rows are shared, against as many steps at once that share nothing.
    """

    name = "threads"
    order = 1

    def rows(self, options):
        """Return a row per problem; none on a machine with one processor."""
        count = min(2, os.cpu_count() or 1)
        if count < 2:
            return []
        problems = (("symmoline", 500, 2), ("symmoline", PARALLEL_ROWS, 2)) if options.quick else _PROBLEMS
        return [self._row(spec, count, options) for spec in problems]

    def _row(self, spec, count, options):
        kind, n, d, *_ = spec
        name = f"{self.name}/{kind}-{n}x{d}"
        return Row(name, lambda: _compare(name, timed_problem(*spec), count, options))


def _compare(name, timed, count, options):
    with threads(1):
        one = timed.walk(_STEPS)
    with threads(count):
        many = timed.walk(_STEPS)
    identical = np.array_equal(one, many)

    def run(number):
        with threads(number):
            return wall(lambda: timed.walk(_STEPS))() / _STEPS

    with ThreadPoolExecutor(count, initializer=numba.set_num_threads, initargs=(1,)) as pool:

        def apart():
            with threads(1):
                # many steps, beside which the waking of the threads is nothing
                taken = wall(lambda: list(pool.map(timed.walk, [_MANY * _STEPS] * count)))()
            return taken / (_MANY * _STEPS * count)

        calls = {"one": lambda: run(1), "many": lambda: run(count)}
        if timed.problem.n_rows >= PARALLEL_ROWS:
            calls["apart"] = apart
        taken = interleaved(calls, options.seconds, {})

    def record(baseline, meaning):
        return Record(
            name,
            "threads",
            timed.name,
            _BASELINES[baseline],
            Spread.of_ratio(taken[baseline], taken["many"]) if identical else None,
            meaning,
            float(np.median(taken["many"])),
            float(np.median(taken[baseline])),
            refused="" if identical else "the bits differ",
        )

    return [
        record(baseline, meaning.format(count))
        for baseline, meaning in _MEANINGS.items()
        if baseline in taken
    ]


MEASUREMENT = Threads()
