"""Sweeps through the store against bare loops: the same runs without config, plan, names and SQLite."""

import tempfile
import time
from pathlib import Path

import numpy as np

import emmd
from emmd.core.status import Status
from emmd.data.snr import snr_parameters
from emmd.experiments.bench.clock import Spread, interleaved, threads, wall
from emmd.experiments.bench.measurement import Measurement, Record, Row
from emmd.experiments.snr.config.read import parse
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.plan.sample import DrawnSample
from emmd.experiments.snr.plan.seeds import seed_of
from emmd.experiments.snr.plan.starts import draw_start
from emmd.experiments.snr.run.execute import kept_iterates, seconds_reached
from emmd.experiments.snr.run.sweep import Options as SweepOptions
from emmd.experiments.snr.run.sweep import run_sweep
from emmd.runs import load_runs, load_traces

_CONFIG = """
name = "small-runs"
repetitions = {samples}
[[problems]]
model = "{model}"
n = {n}
d = {d}
snr_expert = {snr_expert}
snr_gate = 1.0
cosine = 0.3
[[starts]]
kind = "distance"
distance = 0.5
count = {starts}
[[algorithms]]
method = "em"
[stopping]
max_iter = 100
"""
_SNR_EXPERT = {"symmoline": 1.5, "symmologe": 5.0}
"""As in the shipped experiment ``algorithms``."""


class ThroughTheStore(Measurement):
    """``emmd snr run`` with one job against bare loops with the same numbers."""

    name = "store"
    order = 6

    def rows(self, options):
        """Return a row per symmetric model."""
        # a process keeps its last two samples: with three or more, every sweep draws all of them again
        starts, samples = (5, 3) if options.quick else (100, 100 if options.large else 10)
        n, d = (200, 2) if options.quick else (1_000, 10)
        found = []
        for model, snr in _SNR_EXPERT.items():
            name = f"{self.name}/{model}-{starts * samples}-runs"
            text = _CONFIG.format(model=model, n=n, d=d, starts=starts, samples=samples, snr_expert=snr)
            found.append(Row(name, lambda name=name, text=text: [_overhead(name, text, options)]))
        return found


def _overhead(name, text, options):
    """Compare results and traces bit by bit, then processor times."""
    samples = _by_sample(make_plan(parse(text)).runs)
    with tempfile.TemporaryDirectory() as folder, threads(1):
        paths = (Path(folder) / f"{k}.sqlite" for k in range(10**9))
        first = next(paths)
        run_sweep(text, first, SweepOptions())
        same = _same(first, _bare(samples))
        taken = interleaved(
            {
                "store": wall(lambda: run_sweep(text, next(paths), SweepOptions()), time.process_time),
                "bare": wall(lambda: _bare(samples), time.process_time),
            },
            options.seconds,
            {},
        )
    runs = sum(len(starts) for _, _, starts, _ in samples)
    return Record(
        name,
        "store",
        f"{runs} runs of EM, at most 100 iterations",
        "bare loops",
        Spread.of_ratio(taken["store"], taken["bare"]) if same else None,
        "times the bare loops' time",
        float(np.median(taken["store"])),
        float(np.median(taken["bare"])),
        refused="" if same else "the bits differ",
    )


def _by_sample(runs):
    """Return (cell, seed, [(key, start, words of its seed)], stopping) of each sample."""
    samples: dict = {}
    for run in runs:
        if run.data not in samples:
            samples[run.data] = (run.data.cell, seed_of(*run.data.names), [], run.common["stopping"])
        words = seed_of("start", *run.data.names, run.start).entropy
        samples[run.data][2].append((run.key, run.start, words))
    return list(samples.values())


def _bare(samples):
    """Do every run in a plain loop, keeping in lists what a store keeps: results, and traces with seconds."""
    kept = []
    for cell, seed, starts, stopping in samples:
        model = {"symmoline": emmd.SymMoLinE, "symmologe": emmd.SymMoLogE}[cell["model"]](cell["d"])
        truth = snr_parameters(cell["d"], cell["snr_expert"], cell["snr_gate"], cell["cosine"])
        X, y, _ = model.sample(truth, cell["n"], seed)
        sample = DrawnSample(cell, emmd.Problem(model, X, y), truth)
        for key, start, words in starts:
            theta = draw_start(start, sample, np.random.SeedSequence(words))
            kept.append((key, *_bare_run(sample, theta, stopping)))
    return kept


def _bare_run(sample, theta, stopping):
    result = emmd.minimize(sample.problem, theta, "em", record=True, **stopping)
    results = {"iterations": result.nit, "evaluations": result.nfev, "loss": result.fun}
    results |= sample.ends(theta, result.x)
    rows = kept_iterates(result.nit, 200)
    trace = {
        "iteration": rows.astype(float),
        "evaluations": result.trace.evaluations[rows].astype(float),
        "loss": result.trace.loss[rows],
        **sample.along(result.trace.theta[rows]),
    }
    seconds = seconds_reached(result.trace)[rows]
    return Status(result.status).name.lower(), result.message, results, trace, seconds


def _same(store, bare):
    """Whether a store and the bare loops hold the same bits, seconds apart."""
    runs, traces = load_runs(store).set_index("key", append=True), load_traces(store)
    runs = runs.reset_index("id")
    by_run = dict(list(traces.groupby("run", observed=True)))
    for key, status, reason, results, trace, _ in bare:
        row = runs.loc[key]
        if (row["status"], row["reason"]) != (status, reason):
            return False
        if any(row[name] != value for name, value in results.items()):
            return False
        path = by_run[row["id"]]
        if any(not np.array_equal(path[name].to_numpy(), column) for name, column in trace.items()):
            return False
    return len(runs) == len(bare)


MEASUREMENT = ThroughTheStore()
