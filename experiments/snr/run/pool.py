"""Handing runs to one process, several, or a cluster: the results are the same."""

import os
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children

from emmd.experiments.snr.run import workers
from emmd.experiments.snr.run.execute import execute_all

_SECONDS = 0.25
"""A batch lasts about this long: long enough that handing it over costs nothing, short enough to lose."""

_LARGEST = 256


class Here:
    """An executor that works in this process, at once."""

    def submit(self, function, *args):
        """Call the function and return its future."""
        future: Future = Future()
        try:
            future.set_result(function(*args))
        except BaseException as error:
            future.set_exception(error)
        return future


@contextmanager
def processes(jobs):
    """Open an executor with some processes of this machine, which start at once.

    Parameters
    ----------
    jobs : int
        1 works in this process.
    """
    if jobs == 1:
        yield Here()
        return
    environment, others = dict(os.environ), active_children()
    pool = ProcessPoolExecutor(jobs, workers.context(), initializer=workers.begin, initargs=(environment,))
    try:
        for _ in range(jobs):
            pool.submit(_nothing)
        yield pool
    except KeyboardInterrupt:
        # a run may take minutes, and nobody waits for it
        for worker in set(active_children()).difference(others):
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _nothing():
    """What a worker is given to do so that it starts."""


@dataclass
class Batches:
    """Cuts runs into batches that last about `_SECONDS`, each on one sample.

    Attributes
    ----------
    runs : deque of Run
        Not handed out yet.
    seconds_per_run : float
        Mean so far, later batches counting more.
    """

    runs: deque
    seconds_per_run: float = _SECONDS

    def next(self):
        """Return the next batch; empty when there is nothing left."""
        size = max(1, min(_LARGEST, int(_SECONDS / max(self.seconds_per_run, 1e-9))))
        batch: list = []
        while self.runs and len(batch) < size and self.runs[0].data == (batch or self.runs)[0].data:
            batch.append(self.runs.popleft())
        return batch

    def learn(self, seconds, n_runs):
        """Note how long a batch took."""
        self.seconds_per_run += 0.3 * (seconds / n_runs - self.seconds_per_run)


def timed(runs, version):
    """Do a batch; return its outcomes and the seconds it took."""
    began = time.perf_counter()
    outcomes = execute_all(runs, version)
    return outcomes, time.perf_counter() - began


def drive(executor, n_workers, runs, version, save):
    """Do all runs and hand the outcomes over, batch by batch, as they come.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    n_workers : int
        Two batches per worker are under way.
    runs : list of Run
    version : str
        Code version that the workers must have.
    save : callable
        ``save(outcomes)``.

    Raises
    ------
    ValueError
        When a worker process died.
    """
    batches = Batches(deque(runs))
    pending: set = set()
    try:
        while batches.runs or pending:
            while batches.runs and len(pending) < 2 * n_workers:
                pending.add(executor.submit(timed, batches.next(), version))
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                outcomes, seconds = future.result()
                save(outcomes)
                batches.learn(seconds, len(outcomes))
    except BrokenProcessPool:
        raise ValueError(
            "a worker process was killed, perhaps for lack of memory; finished runs are kept, "
            "the same command goes on from there with fewer --jobs"
        ) from None
    finally:
        for future in pending:
            future.cancel()
