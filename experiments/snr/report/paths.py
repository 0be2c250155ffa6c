"""Many paths as one: the median over starts with a band, against iterations and against seconds."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.cells import algorithms_of, cell_groups, describe_cell, interval, reached

_POINTS = 160
_MOST_CELLS = 6
_LONGEST = 8.0
"""So many times as long as the fastest method's path is a panel at most."""
_AXES = {"iteration": "iteration t", "seconds": "wall-clock seconds"}
FLOOR = 1e-14
"""Smaller values are rounding and are drawn here."""


def draw_paths(runs, traces, column, label, power):
    """Draw a column of the traces, one row of panels per cell.

    Parameters
    ----------
    runs, traces : DataFrame
    column : str
    label : str
        Of the vertical axis.
    power : int
        The column contracts by the predicted rate to this power: 1 for parameters, 2 for losses.

    Returns
    -------
    matplotlib.figure.Figure
    """
    cells = list(cell_groups(runs))[:_MOST_CELLS]
    by_run = dict(list(traces.groupby("run", observed=True)))
    with styled():
        figure = new_figure(10.0, 0.9 + 3.7 * len(cells))
        panels = figure.subplots(len(cells), 2, squeeze=False)
        for row, (cell, group) in zip(panels, cells):
            for axes, x in zip(row, _AXES):
                _panel(axes, group, by_run, x, column, power)
                # a geometric rate is a straight line where iterations are counted, not their logarithms
                axes.set(yscale="log", xlabel=_AXES[x], ylabel=label, xlim=(0.0, _horizon(group, by_run, x)))
            row[0].set_title(describe_cell(cell), loc="left")
        row[0].plot([], [], color="0.15", ls=(0, (4, 3)), lw=1.1, label="slope predicted at the optimum")
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _horizon(runs, by_run, x):
    """Return where a panel ends: where the slowest method does, unless others would then be a wall."""
    ends = [
        np.median([by_run[run][x].iloc[-1] for run in chosen.index if run in by_run])
        for _, chosen in runs.groupby("algorithm")
        if any(run in by_run for run in chosen.index)
    ]
    return max(min(max(ends), _LONGEST * min(ends)), 1e-9) if ends else 1.0


def _panel(axes, runs, by_run, x, column, power):
    for colour, algorithm in zip(COLOURS, algorithms_of(runs)):
        chosen = runs[runs["algorithm"] == algorithm]
        paths = [by_run[run] for run in chosen.index if run in by_run]
        if not paths:
            continue
        grid, low, middle, high = band([(path[x].to_numpy(), path[column].to_numpy()) for path in paths])
        axes.fill_between(grid, low, high, color=colour, alpha=0.18, lw=0)
        axes.plot(grid, middle, color=colour, lw=2.0, label=algorithm)
        if x == "iteration" and "predicted_rate" in chosen:
            _slope(axes, grid, middle, float(chosen["predicted_rate"].median()), power)


def band(paths):
    """Return a common grid and the 10th, 50th and 90th percentile of paths on it.

    Parameters
    ----------
    paths : list of (x, y)
        Ascending x; a path that has ended keeps its last value. Values are interpolated in the logarithm.

    Returns
    -------
    grid, low, middle, high : ndarray
        The grid ends where half of the paths have ended.
    """
    first = np.median([x[1] if len(x) > 1 else x[0] for x, _ in paths])
    last = max(np.median([x[-1] for x, _ in paths]), first)
    begin = min(np.median([x[0] for x, _ in paths]), first)
    grid = np.unique([begin, *np.geomspace(max(first, 1e-9), max(last, 1e-9), _POINTS)])
    curves = [np.interp(grid, x, np.log(np.maximum(y, FLOOR))) for x, y in paths]
    return grid, *np.exp(np.quantile(curves, [0.1, 0.5, 0.9], axis=0))


def _slope(axes, grid, middle, rate, power):
    """Anchor the predicted slope at a thousandth of the first parameter error, where transients are over."""
    low = np.flatnonzero(middle <= 1e-3**power * middle[0])
    if not low.size or not 0.0 < rate < 1.0:
        return
    anchor = int(low[0])
    line = middle[anchor] * rate ** (power * (grid - grid[anchor]))
    shown = (line < 3.0 * middle[0]) & (line > FLOOR)
    axes.plot(grid, np.where(shown, line, np.nan), color="0.15", ls=(0, (4, 3)), lw=1.1)


def table_paths(runs, traces):
    """Return iterations, seconds and rates of each algorithm in each cell: medians with 10-90 % ranges."""
    import pandas as pd

    return pd.DataFrame(
        [
            {**cell, "algorithm": algorithm, **_summary(group[group["algorithm"] == algorithm])}
            for cell, group in cell_groups(runs)
            for algorithm in algorithms_of(group)
        ]
    )


def _summary(runs):
    row: dict = {"runs": len(runs), "reached": int(reached(runs).sum())}
    for name in ("iterations", "seconds"):
        row[name], row[f"{name}_10"], row[f"{name}_90"] = interval(runs[name])
    for name in ("predicted_rate", "contraction"):
        if name in runs:
            row[name] = float(runs[name].astype(float).median())
    return row
