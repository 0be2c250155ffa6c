"""The problems and populations of `emmd verify`, side by side on the processor's cores."""

import os
import pickle
from dataclasses import dataclass
from typing import Any

from emmd.experiments.snr.run import workers
from emmd.experiments.snr.run.execute import one_thread
from emmd.experiments.snr.run.pool import processes
from emmd.theory.checker import found_claims, select, verify, verify_population
from emmd.theory.verdict import Verdict


@dataclass(frozen=True)
class Task:
    """The claims about one problem, or about one model's population.

    Attributes
    ----------
    claims : list of str
        Ids.
    claim_files : list of str
        Where else they may stand.
    seed : int
    case : Case, optional
    population : str
        A model's name, or "".
    certify : bool
        Whether proofs in ball arithmetic are tried.
    """

    claims: list
    claim_files: list
    seed: int
    case: Any = None
    population: str = ""
    certify: bool = False

    def run(self, progress=None):
        """Return the records; `progress` is called with a claim's id when it is done."""
        claims, case = select(self.claims, found_claims(self.claim_files)), self.case
        if case is not None:
            arguments = case.problem, case.theta0, claims, self.seed, case.name, progress
            return verify(*arguments, self.certify)
        records = verify_population(self.population, claims, self.seed, progress)
        # a claim that speaks of the other model only is left out
        return [record for record in records if not _about_another(record)]

    @property
    def name(self):
        """What the progress line says."""
        return f"{self.population} population" if self.case is None else f"{self.case.model} {self.case.name}"


def _about_another(record):
    elsewhere = record.reason.startswith("the statement is about")
    return elsewhere and record.verdict is Verdict.NOT_APPLICABLE


def run_all(tasks, advance, apart=True):
    """Return the records of each task, in the order of the tasks.

    Parameters
    ----------
    tasks : list of Task
        Those that take longest first.
    advance : callable
        ``advance(text, count)``: so many claims are done.
    apart : bool
        Whether tasks may go to other processes: what a user's file defines cannot.
    """
    travels = [apart and _can_travel(task) for task in tasks]
    jobs = min(os.cpu_count() or 1, sum(travels))
    if jobs < 2:
        return [task.run(_told(advance, task)) for task in tasks]
    workers.prepare()
    with processes(jobs) as pool:
        futures = [
            pool.submit(_run_in_one_thread, task) if far else None for task, far in zip(tasks, travels)
        ]
        here = {k: task.run(_told(advance, task)) for k, task in enumerate(tasks) if not travels[k]}
        records = []
        for k, (task, future) in enumerate(zip(tasks, futures)):
            records.append(here[k] if future is None else future.result())
            if future is not None:
                advance(task.name, len(task.claims))
    return records


def _can_travel(task):
    """Return whether another process can be given a task: functions inside functions cannot be sent."""
    try:
        pickle.dumps(task)
    except Exception:
        # whatever a user's objects raise
        return False
    return True


def _run_in_one_thread(task):
    with one_thread():
        return task.run()


def _told(advance, task):
    return lambda claim: advance(f"{task.name} {claim.partition('-')[0]}", 1)
