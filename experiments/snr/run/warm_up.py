"""Kernels are compiled once, in one process, before work is handed out."""

from dataclasses import replace

from emmd.experiments.snr.run.execute import execute, one_thread

_ROWS, _ITERATIONS = 200, 20


def warm_up(runs):
    """Do a small copy of each different kind of run: its model, algorithm and measures, few rows and steps.

    Parameters
    ----------
    runs : list of Run
        What they leave behind is thrown away, failures included: the real runs will tell.
    """
    kinds = {(run.data.cell.get("model"), str(run.algorithm)): run for run in runs}
    with one_thread():
        for run in kinds.values():
            execute(_small(run))


def _small(run):
    cell = dict(run.data.cell)
    if "n" in cell:
        cell["n"] = min(cell["n"], 5 * _ROWS if "data" in cell else _ROWS)
    small = replace(run.with_limit(_ITERATIONS), data=replace(run.data, cell=cell))
    if "data" not in cell:
        return small
    # few real rows are separable, and then exact fits are slow; measures of real data need no other kernels
    return replace(small.with_limit(1), common={**small.with_limit(1).common, "measures": []})
