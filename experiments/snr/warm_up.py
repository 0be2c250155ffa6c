"""Kernels are compiled once, in one process, before work is handed out."""

from dataclasses import replace

from experiments.snr.execute import execute
from experiments.snr.plan import Run

_ROWS, _ITERATIONS = 200, 20


def warm_up(runs):
    """Do a small copy of each different kind of run: its model, algorithm and measures, few rows and steps.

    Parameters
    ----------
    runs : list of Run
        What they leave behind is thrown away, failures included: the real runs will tell.
    """
    kinds = {(run.data.cell.get("model"), str(run.algorithm)): run for run in runs}
    for run in kinds.values():
        execute(_small(run))


def _small(run):
    cell = dict(run.data.cell)
    if "n" in cell:
        cell["n"] = min(cell["n"], _ROWS)
    stopping = {**run.common["stopping"], "max_iter": _ITERATIONS}
    common = {**run.common, "stopping": stopping}
    return Run(replace(run.data, cell=cell), run.start, run.algorithm, common)
