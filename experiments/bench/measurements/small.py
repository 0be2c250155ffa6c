"""Small problems, which sweeps are made of: whole runs of 100 iterations through the public function."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numba
import numpy as np

import emmd
from emmd.experiments.bench.baseline import Runner
from emmd.experiments.bench.clock import Spread, interleaved, threads, wall
from emmd.experiments.bench.measurement import Measurement, Record, Row
from emmd.experiments.bench.problems import timed_problem

_ITERATIONS = 100
_KINDS = (
    ("symmoline", 10, 2, 1.0),
    ("symmologe", 10, 2, 1.0),
    ("gaussian", 10, 2, 0.5),
    ("poisson", 5, 3, 1.0),
)
"""Kind, features, experts and signal; weak ones: a run that has converged would time the stopping rule."""

_NEVER = 1e-300
"""A tolerance that no run meets: every run takes all its iterations."""


class Small(Measurement):
    """``emmd.minimize`` for 100 iterations: one run against the baselines, many runs on two processes."""

    name = "small"
    order = 2

    def rows(self, options):
        """Return two rows for each symmetric model, for two Gaussian and for three Poisson experts."""
        n, runs = (200, 8) if options.quick else (1_000, 1_000)
        found = []
        for kind, d, experts, signal in _KINDS:
            one, many = f"{self.name}/{kind}-one-run", f"{self.name}/{kind}-{runs}-runs"
            spec = (kind, n, 3 if options.quick else d, experts, signal)
            found.append(Row(one, lambda spec=spec, one=one: _one_run(one, spec, options)))
            found.append(Row(many, lambda spec=spec, many=many: [_many_runs(many, spec, runs, options)]))
        return found


def _run(timed, theta=None):
    theta = timed.theta if theta is None else theta
    return emmd.minimize(timed.problem, theta, tol=_NEVER, max_iter=_ITERATIONS)


def _one_run(name, spec, options):
    timed = timed_problem(*spec)
    records = []
    with threads(1):
        runners = {"emmd": Runner(lambda theta, steps: _run(timed).x)}
        rivals = [b for b in options.baselines if not (b.floor or b.refuses(timed))]
        runners |= {baseline.name: baseline.prepare(timed) for baseline in rivals}
        answers = {key: runner.advance(timed.theta, _ITERATIONS) for key, runner in runners.items()}
        calls = {
            key: lambda r=runner: r.seconds(timed.theta, _ITERATIONS) * _ITERATIONS
            for key, runner in runners.items()
        }
        taken = interleaved(calls, options.seconds, {})
    for baseline in rivals:
        change = answers[baseline.name] - answers["emmd"]
        difference = timed.problem.model.relative_size(timed.problem.data, change, answers["emmd"])
        good = difference <= baseline.tolerance(timed)
        records.append(
            Record(
                name,
                "small",
                f"{timed.name}, {_ITERATIONS} iterations",
                baseline.title,
                Spread.of_ratio(taken[baseline.name], taken["emmd"]) if good else None,
                "times faster",
                float(np.median(taken["emmd"])),
                float(np.median(taken[baseline.name])),
                None,
                float(difference),
                baseline.tolerance(timed),
                "" if good else f"it differs from emmd by {difference:.1e}",
            )
        )
    return records


def _prepare(spec):
    numba.set_num_threads(1)
    _run(timed_problem(*spec))


def _batch(spec, seeds):
    timed = timed_problem(*spec)
    total = 0
    for seed in seeds:
        noise = np.random.default_rng(seed).standard_normal(len(timed.theta))
        total += _run(timed, timed.theta + 0.01 * noise).nit
    return total


def _many_runs(name, spec, runs, options):
    """Time runs from different starts, in this process and on two that are up and warm."""
    timed = timed_problem(*spec)
    count = min(2, os.cpu_count() or 1)
    batches = [range(k, runs, 8 * count) for k in range(8 * count)]
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_prepare, initargs=(spec,))
    with pool, threads(1):
        list(pool.map(_batch, [spec] * count, [range(1)] * count))
        iterations = []

        def fan_out():
            iterations.append(sum(pool.map(_batch, [spec] * len(batches), batches)))

        def alone():
            _batch(spec, range(runs))

        rounds = {"one": 1 if options.quick else 3, "many": 1 if options.quick else 3}
        taken = interleaved({"one": wall(alone), "many": wall(fan_out)}, 0.0, rounds)
    if set(iterations) != {runs * _ITERATIONS}:
        raise ArithmeticError(f"{runs} runs must take {_ITERATIONS} iterations each, got {iterations}")
    return Record(
        name,
        "small",
        f"{timed.name}, {runs} runs of {_ITERATIONS} iterations",
        "one process",
        Spread.of_ratio(taken["one"], taken["many"]),
        f"times faster with {count} processes",
        float(np.median(taken["many"])),
        float(np.median(taken["one"])),
        note="processes up and kernels loaded before the clock",
    )


MEASUREMENT = Small()
