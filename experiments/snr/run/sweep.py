"""A sweep: what the plan says and the store does not have yet is done and saved."""

from contextlib import contextmanager
from dataclasses import dataclass

from emmd.experiments.snr.config.read import parse
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.run.pool import drive, processes
from emmd.experiments.snr.run.version import code_version
from emmd.experiments.snr.run.warm_up import warm_up
from emmd.experiments.snr.store.store import writing


@dataclass(frozen=True)
class Options:
    """How to run a sweep.

    Attributes
    ----------
    jobs : int
        Processes on this machine.
    scheduler : str or None
        Address of a Dask scheduler that gets the work instead.
    wait : bool
        Wait when another process is writing the store.
    accept_version : bool
        Count finished runs of another code version as finished.
    retry_failed : bool
        Do runs again that raised an exception.
    """

    jobs: int = 1
    scheduler: str | None = None
    wait: bool = False
    accept_version: bool = False
    retry_failed: bool = False


@dataclass
class Summary:
    """What a sweep did.

    Attributes
    ----------
    planned, found, done : int
        Runs of the plan, of those already in the store, and done now.
    failed : int
        Runs of the plan that raised an exception, now or earlier.
    """

    planned: int
    found: int
    done: int = 0
    failed: int = 0


def run_sweep(text, path, options=None, advance=lambda total, new: None, name="CONFIG"):
    """Run or resume the experiment that a TOML text describes.

    Parameters
    ----------
    text : str
    path : str or Path
        The store.
    options : Options, optional
    advance : callable
        ``advance(total, new)`` is called with the number of runs to do and of those done since the last call.
    name : str
        What error messages call the text.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        For a wrong config, an unusable store, runs of another code version, an unreachable scheduler.
    """
    options = options or Options()
    plan = make_plan(parse(text, name))
    plan.experiment.require()
    with writing(path, code_version(), options.wait) as store:
        _refuse_other_code(store, options)
        if options.retry_failed:
            store.forget(store.failed(run.key for run in plan.runs))
        finished = store.finished()
        runs = [run for run in plan.runs if run.key not in finished]
        summary = Summary(len(plan.runs), len(plan.runs) - len(runs))
        store.begin(plan.experiment.name, text, options.scheduler or f"{options.jobs} jobs")
        advance(len(runs), 0)
        if runs:
            _do(runs, store, options, summary, advance)
        summary.failed = len(store.failed(run.key for run in plan.runs))
    return summary


def _refuse_other_code(store, options):
    others = store.other_versions()
    if others and not options.accept_version:
        raise ValueError(
            f"the store {store.path} has runs of code version {', '.join(others)}, this is {store.version}; "
            "use another --store, or --accept-version to keep those runs and add the missing ones"
        )


def _do(runs, store, options, summary, advance):
    def save(outcomes):
        store.save(outcomes)
        summary.done += len(outcomes)
        advance(len(runs), len(outcomes))

    with _executor(runs, options) as (executor, workers):
        drive(executor, workers, runs, store.version, save)


@contextmanager
def _executor(runs, options):
    if options.scheduler is not None:
        from emmd.experiments.snr.run.cluster import cluster

        with cluster(options.scheduler) as opened:
            yield opened
        return
    # workers import while this process alone compiles
    with processes(min(options.jobs, len(runs))) as executor:
        warm_up(runs)
        yield executor, options.jobs
