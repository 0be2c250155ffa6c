"""Several threads against one: the wall-clock time of one EM map evaluation."""

import os

import numpy as np

from experiments.bench.clock import Spread, interleaved, threads, wall
from experiments.bench.measurement import Measurement, Record, Row
from experiments.bench.problems import timed_problem

_PROBLEMS = (
    ("symmoline", 1_000, 2),
    ("symmoline", 10_000, 10),
    ("symmoline", 100_000, 10),
    ("symmologe", 100_000, 10),
    ("gaussian", 100_000, 10, 2),
    ("symmoline", 1_000_000, 10),
)
_STEPS = 3


class Threads(Measurement):
    """``problem.em_step`` with two threads (as many as there are, if fewer) against one, same bits."""

    name = "threads"
    order = 1

    def rows(self, options):
        """Return a row per problem; none on a machine with one processor."""
        count = min(2, os.cpu_count() or 1)
        if count < 2:
            return []
        problems = (("symmoline", 500, 2),) if options.quick else _PROBLEMS
        return [self._row(spec, count, options) for spec in problems]

    def _row(self, spec, count, options):
        kind, n, d, *_ = spec
        name = f"{self.name}/{kind}-{n}x{d}"
        return Row(name, lambda: [_compare(name, timed_problem(*spec), count, options)])


def _compare(name, timed, count, options):
    with threads(1):
        one = timed.walk(_STEPS)
    with threads(count):
        many = timed.walk(_STEPS)

    def run(number):
        with threads(number):
            return wall(lambda: timed.walk(_STEPS))() / _STEPS

    taken = interleaved({"one": lambda: run(1), "many": lambda: run(count)}, options.seconds, {})
    identical = np.array_equal(one, many)
    return Record(
        name,
        "threads",
        timed.name,
        "one thread",
        Spread.of_ratio(taken["one"], taken["many"]) if identical else None,
        f"times faster with {count} threads",
        float(np.median(taken["many"])),
        float(np.median(taken["one"])),
        refused="" if identical else "the bits differ",
    )


MEASUREMENT = Threads()
