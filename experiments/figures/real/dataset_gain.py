"""Real data sets: held-out likelihood of K experts against one, and the K that BIC chooses."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.selection import gains, summary

_MARKERS = "osD^vP*"


def _draw(runs, traces):
    table, counts = summary(runs), _counts(runs)
    names = list(dict.fromkeys(table["data"]))
    with styled():
        figure = new_figure(10.0, 1.6 + 0.75 * len(names))
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.5, 1.0))
        choices = list(dict.fromkeys(table["experts"]))
        for k, choice in enumerate(choices):
            chosen = table[table["experts"] == choice].set_index("data").reindex(names)
            y = np.arange(len(names)) + 0.13 * (k - (len(choices) - 1) / 2)
            colour, marker = COLOURS[k % len(COLOURS)], _MARKERS[k % len(_MARKERS)]
            style = {"color": colour, "marker": marker, "ls": "", "capsize": 3, "label": choice}
            left.errorbar(chosen["gain"], y, xerr=1.96 * chosen["gain_se"], **style)
        left.axvline(0.0, color="0.3", lw=1)
        left.set_xscale("symlog", linthresh=0.01)
        left.set_xlabel("held-out log-likelihood above one expert's (nats per row)")
        left.set_yticks(range(len(names)), names)
        left.invert_yaxis()
        _bars(right, counts.reindex(names))
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
    return figure


def _bars(axes, counts):
    begin = np.zeros(len(counts))
    for k, (experts, share) in enumerate(counts.items()):
        y = np.arange(len(counts))
        bars = axes.barh(y, share, left=begin, height=0.5, color=str(0.85 - 0.2 * k), edgecolor="0.2")
        labels = [f"K = {experts}" if part > 0.12 else "" for part in share]
        axes.bar_label(bars, labels, label_type="center", color="black" if k < 2 else "white", fontsize=9)
        begin += share.to_numpy()
    axes.set(xlim=(0, 1), xlabel="share of the splits in which BIC chooses K")


def _counts(runs):
    """Return the share of the splits for which BIC chooses each K, one row per data set."""
    import pandas as pd

    chosen = gains(runs).drop_duplicates(["data", "repetition"])
    return pd.crosstab(chosen["data"], chosen["chosen"], normalize="index")


DATASET_GAIN = ReportFigure(
    name="dataset_gain",
    title="K experts against one on real data",
    caption="Each split keeps the start with the least training loss. Left: mean over the splits of the "
    "held-out log-likelihood per row minus that of one expert (a generalised linear model with the same "
    "ridge); bars are 95 % intervals with Nadeau and Bengio's correction for overlapping splits; the axis is "
    "linear below 0.01. Right: how often BIC, computed at the penalised fit, chooses each K on the training "
    "rows.",
    draw=_draw,
    table=lambda runs, traces: summary(runs),
)
