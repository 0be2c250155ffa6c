"""Predicted rates against the spectral radius of the algorithm's own map."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.cells import CELL, algorithms_of
from emmd.experiments.snr.report.figure import ReportFigure

_NEEDED = ["predicted_rate", "contraction", "contraction_error"]


def _draw(runs, traces):
    from matplotlib.ticker import NullFormatter

    points = _table(runs, traces)
    with styled():
        figure = new_figure(10.0, 4.4)
        left, right = figure.subplots(1, 2)
        for colour, marker, algorithm in zip(COLOURS, "osD^vP*", algorithms_of(points)):
            chosen = points[points["algorithm"] == algorithm]
            style = {"color": colour, "ls": "", "marker": marker, "ms": 5, "alpha": 0.7}
            left.plot(chosen["predicted_rate"], chosen["contraction"], label=algorithm, **style)
            gap = np.maximum((chosen["contraction"] - chosen["predicted_rate"]).abs(), 1e-16)
            right.plot(chosen["contraction_error"], gap, **style)
        _diagonal(left, points["predicted_rate"], {})
        _diagonal(right, points["contraction_error"], {"ls": "--"})
        left.set(xlabel="predicted rate", ylabel="observed rate (spectral radius of the map)")
        right.set(xscale="log", yscale="log", xlabel="stated error of the observation")
        right.xaxis.set_minor_formatter(NullFormatter())
        right.set_ylabel("|observed - predicted|")
        left.set_title("observed = predicted on the line")
        right.set_title("agreement: below the dashed line")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def _diagonal(axes, values, style):
    ends = np.array([values.min(), values.max()])
    axes.plot(ends, ends, color="0.3", lw=1, zorder=0, **style)


def _table(runs, traces):
    """One row per sample and algorithm: starts share the rate at the optimum."""
    keys = [*(key for key in CELL if key in runs), "repetition", "algorithm"]
    points = runs.dropna(subset=_NEEDED).drop_duplicates(keys)
    if points.empty:
        raise ValueError("no run has both a predicted and an observed rate")
    return points[[*keys, *_NEEDED]].sort_values(keys).astype(dict.fromkeys(_NEEDED, float))


PREDICTED = ReportFigure(
    name="snr_predicted",
    title="Predicted and observed rates",
    caption="Each point is one sample and algorithm. Predicted: from the Hessians at the sample's optimum. "
    "Observed: the spectral radius of the algorithm's own map there, from map evaluations only, with its "
    "stated error.",
    draw=_draw,
    table=_table,
)
