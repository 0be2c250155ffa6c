"""What the commands of `emmd snr` do."""

import os
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from emmd.data.fashion_mnist import DATA_DIR
from emmd.experiments.console.consoles import announce_compilation, literal, messages, progress, results
from emmd.experiments.files.output import write_json
from emmd.experiments.snr.config.read import parse, read_text
from emmd.experiments.snr.plan.estimate import estimate
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.run.sweep import run_sweep
from emmd.experiments.snr.store.export import write_tables


def check(config, data_dir, json):
    """Print the plan of an experiment; return the exit code."""
    plan = make_plan(parse(read_text(config), config))
    _open(data_dir)
    plan.experiment.require()
    announce_compilation()
    forecast = estimate(plan)
    if json is not None:
        write_json(forecast, json)
    if json != "-":
        results.print(
            f"{plan.experiment.name}: {forecast.cells} cells, {forecast.samples} samples, "
            f"{forecast.runs} runs; "
            f"about {_duration(forecast.seconds)} on one core and {forecast.megabytes:.1f} MB "
            f"(from {forecast.pilots} pilot runs)"
        )
    return 0


def run(config, store, options, data_dir, json):
    """Run or resume a sweep; return the exit code."""
    text = read_text(config)
    _open(data_dir)
    announce_compilation()
    with _progress() as advance:
        summary = run_sweep(text, store, options, advance, config)
    if json is not None:
        write_json(summary, json)
    if json != "-":
        failed = f"; {summary.failed} failed, with their reasons in the store" if summary.failed else ""
        told = f"{summary.planned} runs: {summary.found} were in {store}, {summary.done} done now{failed}"
        results.print(literal(told), soft_wrap=True)
    return 0


def report(store, out):
    """Write the report of a store; return the exit code."""
    from emmd.experiments.snr.report.write import write_report

    with progress(None, "figures") as advance:
        page = write_report(store, out, advance)
    results.print(literal(f"wrote {page}"), soft_wrap=True)
    return 0


def export(store, out, file_format):
    """Write the tables of a store; return the exit code."""
    for path in write_tables(store, out, file_format):
        results.print(literal(f"wrote {path}"), soft_wrap=True)
    return 0


def _open(data_dir):
    """Say where data are, to this process and to its workers; a run's id does not depend on it."""
    if data_dir is not None:
        os.environ[DATA_DIR] = data_dir


@contextmanager
def _progress():
    columns = (
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task("runs", total=None)
        yield lambda total, new: bar.update(task, total=total, advance=new)


def _duration(seconds):
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
