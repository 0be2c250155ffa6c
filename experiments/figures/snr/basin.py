"""Probability of reaching the optimum next to theta*, against the start's distance."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, plain_ticks, styled
from emmd.experiments.snr.report.cells import CELL, NAMES, algorithms_of, cell_groups, reached
from emmd.experiments.snr.report.figure import ReportFigure

_Z = 1.959964


def _draw(runs, traces):
    table = _table(runs, traces)
    models = sorted(table["model"].unique(), key=list(NAMES).index)
    with styled():
        figure = new_figure(5.0 * len(models), 4.4)
        for axes, model in zip(figure.subplots(1, len(models), squeeze=False)[0], models):
            lines = table[table["model"] == model].groupby(["snr_expert", "snr_gate", "algorithm"])
            for k, ((snr_expert, snr_gate, algorithm), line) in enumerate(lines):
                label = (
                    rf"{algorithm}, $\mathrm{{SNR}}_e$ = {snr_expert:g}, $\mathrm{{SNR}}_g$ = {snr_gate:g}"
                )
                _line(axes, line, k, label)
            axes.set(xscale="log", ylim=(-0.03, 1.03), title=NAMES[model])
            plain_ticks(axes, table["start_distance"])
            axes.set_xlabel(r"distance of the start, $\|\theta_0 - \theta^*\| / \|\theta^*\|$")
            axes.set_ylabel("probability of reaching the optimum")
            axes.legend(frameon=True, framealpha=0.85, fontsize=8)
    return figure


def _line(axes, line, k, label):
    # lines of one panel are moved apart a little, so that their bars can be told from each other
    x = line["start_distance"] * 1.025 ** (k - 1.5)
    spread = [line["probability"] - line["low"], line["high"] - line["probability"]]
    colour, marker = COLOURS[k % len(COLOURS)], "osD^vP*"[k % 7]
    axes.errorbar(
        x, line["probability"], yerr=np.abs(spread), color=colour, marker=marker, capsize=3, label=label
    )


def _table(runs, traces):
    """One row per cell, algorithm and distance, with Wilson's 95 % interval."""
    import pandas as pd

    rows = []
    for cell, group in cell_groups(runs[runs["start_kind"] == "distance"]):
        for algorithm in algorithms_of(group):
            for distance, starts in group[group["algorithm"] == algorithm].groupby("start_distance"):
                hits, total = int(reached(starts).sum()), len(starts)
                low, high = wilson(hits, total)
                counts = {
                    "runs": total,
                    "reached": hits,
                    "probability": hits / total,
                    "low": low,
                    "high": high,
                }
                rows.append({**cell, "algorithm": algorithm, "start_distance": distance, **counts})
    if not rows:
        raise ValueError("no run starts at a distance from theta*")
    return pd.DataFrame(rows).sort_values([*CELL, "algorithm", "start_distance"]).reset_index(drop=True)


def wilson(hits, total):
    """Return Wilson's 95 % interval of a probability seen as `hits` out of `total`."""
    share, spread = hits / total, _Z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = np.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


BASIN = ReportFigure(
    name="snr_basin",
    title="Basin of attraction",
    caption="Share of the runs, over samples and random directions, that end within 1e-3 of the sample's "
    "optimum next to theta*, modulo symmetries, before the iteration limit. Bars: Wilson's 95 % interval.",
    draw=_draw,
    table=_table,
)
