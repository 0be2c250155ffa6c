"""Real images: losses, accuracy and the gate against iterations and seconds."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.cells import algorithms_of, cell_groups
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.scores import (
    REFERENCES,
    SCORES,
    best_runs,
    by_start,
    compared,
    mean_and_deviation,
    references,
)

_SHOWN = ("train_loss", "test_loss", "test_accuracy", "gate_auc")
_AXES = {"iteration": "iteration t", "seconds": "wall-clock seconds"}
_RANGES = {"test_accuracy": (0.0, 1.0), "gate_auc": (0.45, 1.02)}
_LARGEST = {"test_accuracy": 1.0, "gate_auc": 1.0}
_POINTS = 200
_STYLES = dict(zip(REFERENCES.values(), (":", "--")))


def _draw(runs, traces):
    _, cell_runs = next(iter(cell_groups(runs)))
    cell_runs = best_runs(cell_runs)
    by_run = dict(list(traces.groupby("run", observed=True)))
    with styled():
        figure = new_figure(10.0, 12.0)
        panels = figure.subplots(len(_SHOWN), 2, sharey="row")
        for row, score in zip(panels, _SHOWN):
            for axes, x in zip(row, _AXES):
                _panel(axes, cell_runs, by_run, x, score)
            row[0].set_ylabel(SCORES[score])
        for axes, label in zip(panels[-1], _AXES.values()):
            axes.set_xlabel(label)
        figure.legend(
            *panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
        )
    return figure


def _panel(axes, runs, by_run, x, score):
    for colour, algorithm in zip(COLOURS, algorithms_of(runs)):
        chosen = runs.index[runs["algorithm"] == algorithm]
        paths = [by_run[run] for run in chosen if run in by_run]
        curves = [(path[x].to_numpy(), path[score].to_numpy()) for path in paths]
        grid, mean, deviation = averaged(curves, steps=x == "seconds")
        top = np.minimum(mean + deviation, _LARGEST.get(score, np.inf))
        axes.fill_between(grid, mean - deviation, top, color=colour, alpha=0.18, lw=0)
        axes.plot(grid, mean, color=colour, lw=1.8, label=algorithm)
    for name, scores in references(runs):
        if score in scores:
            axes.axhline(scores[score].mean(), color="0.2", lw=1.3, ls=_STYLES[name], label=name)
    axes.set_xscale("log")
    if score in _RANGES:
        axes.set_ylim(_RANGES[score])


def averaged(paths, steps):
    """Return a common grid with the mean and the standard deviation of paths on it.

    Parameters
    ----------
    paths : list of (x, y)
        Ascending x from 0; a path that has ended keeps its last value.
    steps : bool
        Whether a value holds until the next one is there, as at a given second, or points are joined.

    Returns
    -------
    grid, mean, deviation : ndarray
        The grid begins at the first step and ends where the last path ends.
    """
    first = min(x[1] if len(x) > 1 else 1e-3 for x, _ in paths)
    last = max(max(x[-1] for x, _ in paths), first * 1.01)
    grid = np.geomspace(first, last, _POINTS)
    if steps:
        curves = np.array([y[np.searchsorted(x, grid * (1 + 1e-9), side="right") - 1] for x, y in paths])
    else:
        curves = np.array([np.interp(grid, x, y) for x, y in paths])
    deviation = curves.std(axis=0, ddof=1) if len(curves) > 1 else np.zeros(_POINTS)
    return grid, curves.mean(axis=0), deviation


def _table(runs, traces):
    """Scores at equal iterations, at equal seconds and at the end: mean and deviation over samples."""
    import pandas as pd

    rows = []
    for cell, group in cell_groups(runs):
        for name, scores in references(group):
            at = {"compared at": "optimum", "fit": name, "start": "", "samples": len(scores)}
            rows.append({**cell, **at, **mean_and_deviation(scores)})
        for place, algorithm, scores in compared(group, traces):
            at = {"compared at": place, "fit": f"two experts, {algorithm}"}
            for start, chosen in by_start(group, scores):
                about = {"start": start, "samples": len(chosen)}
                rows.append({**cell, **at, **about, **mean_and_deviation(chosen)})
    return pd.DataFrame(rows)


IMAGE_PATHS = ReportFigure(
    name="image_paths",
    title="Two softmax experts on images inverted at random",
    caption="Mean over samples, with a band of one standard deviation on each side; each sample keeps, for "
    "each algorithm, the start with the least training loss in the end, and the table has every start. A "
    "path that has ended keeps its last value. Seconds are those of the path alone: compilation, "
    "scoring and the final check of convergence are left out. Dotted: one softmax expert on the same "
    "images; dashed: one softmax expert that is told which images are inverted. AUC of the gate: how "
    "well its logit tells inverted from plain test images, 0.5 being chance and 1 perfect; no algorithm"
    " is told. The table compares at the most iterations, and at the most seconds, that every run had.",
    draw=_draw,
    table=_table,
)
