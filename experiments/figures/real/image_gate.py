"""Real images: what every run reached in equal time, and whether its gate tells inverted from plain."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.cells import REAL_CELL, algorithms_of, cell_groups
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.scores import best_runs, budget, references, scores_within

_MARKERS = "osD^vP*"


def _draw(runs, traces):
    _, cell_runs = next(iter(cell_groups(runs)))
    points = _points(cell_runs, traces)
    with styled():
        figure = new_figure(10.0, 4.6)
        for axes, column in zip(figure.subplots(1, 2, sharey=True), ("gate_auc", "gate_agreement")):
            for colour, marker, algorithm in zip(COLOURS, _MARKERS, algorithms_of(points)):
                chosen = points[points["algorithm"] == algorithm]
                style = {"color": colour, "ls": "", "marker": marker, "ms": 6, "alpha": 0.8}
                for best, fill in ((True, colour), (False, "none")):
                    shown = chosen[chosen["best_start"] == best]
                    label = algorithm if best else None
                    axes.plot(shown[column], shown["test_accuracy"], label=label, mfc=fill, **style)
            _levels(axes, cell_runs)
        left, right = figure.axes
        left.set(xlabel="AUC of the gate against the inversion", ylabel="test accuracy")
        right.set(xlabel="images on the side of the gate that is their kind's")
        for axes in (left, right):
            axes.set_xlim(0.48, 1.02)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
        figure.suptitle(f"after {points['seconds'].max():.3g} s each", fontsize=10)
    return figure


def _levels(axes, runs):
    for style, (name, scores) in zip((":", "--"), references(runs)):
        axes.axhline(scores["test_accuracy"].mean(), color="0.2", lw=1.3, ls=style, label=name)


def _points(runs, traces):
    import pandas as pd

    limit, best = budget(runs, "seconds"), best_runs(runs).index
    by_run = dict(list(traces.groupby("run", observed=True)))
    rows = [
        {
            **{key: run[key] for key in (*REAL_CELL, "repetition", "start_index", "algorithm") if key in run},
            "best_start": index in best,
            "seconds": limit,
            **scores_within(by_run[index], "seconds", limit),
        }
        for index, run in runs.iterrows()
        if index in by_run
    ]
    return pd.DataFrame(rows)


def _table(runs, traces):
    """One row per run: its scores when the seconds that all runs had were spent."""
    import pandas as pd

    tables = [_points(group, traces) for _, group in cell_groups(runs)]
    return pd.concat(tables, ignore_index=True).replace({np.nan: None})


IMAGE_GATE = ReportFigure(
    name="image_gate",
    title="What the gate learnt",
    caption="One point per sample and start, after the seconds that every run had; filled for the start with "
    "the least training loss in the end. Right: the share of test images for which the gate prefers the"
    " expert of their kind, inverted or plain. A gate can agree with the inversion only in part and the"
    " mixture still be accurate: it may hand some classes to one expert whichever way they are printed."
    " Dotted: one expert; dashed: one expert that is told the inversion.",
    draw=_draw,
    table=_table,
)
