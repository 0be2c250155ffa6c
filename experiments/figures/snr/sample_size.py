"""Statistical error and rate against the number of rows."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, plain_ticks, styled
from emmd.experiments.snr.report.cells import CELL, cell_groups, interval, reached
from emmd.experiments.snr.report.figure import ReportFigure

_SHORT = {"symmoline": "SymMoLinE", "symmologe": "SymMoLogE"}
_COLUMNS = {
    "distance": (r"statistical error $\|\hat\theta - \theta^*\|$", "statistical error"),
    "rate_gap": (
        r"$|\lambda_{\max}(\mathrm{sample}) - \lambda_{\max}(\mathrm{population})|$",
        "distance of the rate to the population's",
    ),
}


def _draw(runs, traces):
    table = _table(runs, traces)
    with styled():
        figure = new_figure(10.0, 4.8)
        for axes, (column, (label, title)) in zip(figure.subplots(1, 2), _COLUMNS.items()):
            lines = table.groupby(["model", "snr_expert", "snr_gate"], sort=False)
            for k, (names, line) in enumerate(lines):
                _line(axes, line, column, k, names)
            _guide(axes, table, column)
            axes.set(xscale="log", yscale="log", xlabel="number of rows n", ylabel=label, title=title)
            plain_ticks(axes, table["n"])
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _line(axes, line, column, k, names):
    model, snr_expert, snr_gate = names
    label = rf"{_SHORT[model]}, $\mathrm{{SNR}}_e$ = {snr_expert:g}, $\mathrm{{SNR}}_g$ = {snr_gate:g}"
    spread = [line[column] - line[f"{column}_10"], line[f"{column}_90"] - line[column]]
    colour, marker = COLOURS[k % len(COLOURS)], "osD^vP*"[k % 7]
    x = line["n"] * 1.03**k
    axes.errorbar(x, line[column], yerr=np.abs(spread), color=colour, marker=marker, capsize=3, label=label)


def _guide(axes, table, column):
    n = np.array([table["n"].min(), table["n"].max()], dtype=float)
    # below the lowest curve, where it hides nothing
    height = 0.35 * (table[column] * np.sqrt(table["n"])).min()
    axes.plot(n, height / np.sqrt(n), color="0.3", ls="--", lw=1.2, label=r"slope $n^{-1/2}$")


def _table(runs, traces):
    """One row per cell: medians over the samples with 10-90 % ranges."""
    import pandas as pd

    rows = []
    for cell, group in cell_groups(runs[reached(runs)]):
        gap = (group["predicted_rate"].astype(float) - group["population_rate"].astype(float)).abs()
        row = {**cell, "samples": len(group)}
        columns = {"distance": group["distance_to_truth"], "rate_gap": gap, "rate": group["predicted_rate"]}
        for name, values in columns.items():
            row[name], row[f"{name}_10"], row[f"{name}_90"] = interval(values)
        rows.append({**row, "population_rate": group["population_rate"].iloc[0]})
    if not rows:
        raise ValueError("no run reached the optimum next to theta*")
    return pd.DataFrame(rows).sort_values(list(CELL)).reset_index(drop=True)


SAMPLE_SIZE = ReportFigure(
    name="snr_sample_size",
    title="Sample size",
    caption="Distance of the sample's optimum to theta* and of its rate to the population's: median over "
    "samples, bars from the 10th to the 90th percentile; points are moved sideways a little to keep bars "
    "apart.",
    draw=_draw,
    table=_table,
)
