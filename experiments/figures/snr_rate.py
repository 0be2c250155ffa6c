"""EM's rate against the signal-to-noise ratio: sample, population and bound."""

import pandas as pd

from experiments.figures.style import COLOURS, new_figure, styled
from experiments.snr.report.cells import CELL, NAMES, cell_groups, interval
from experiments.snr.report.figure import ReportFigure


def _draw(runs, traces):
    table = _table(runs, traces)
    models = sorted(table["model"].unique(), reverse=True)
    with styled():
        figure = new_figure(5.2 * len(models), 4.8)
        for axes, model in zip(figure.subplots(1, len(models), squeeze=False)[0], models):
            chosen = table[table["model"] == model]
            for colour, (gate, line) in zip(COLOURS, chosen.groupby("snr_gate")):
                _line(axes, line, colour, gate)
            log = chosen["rate"].min() < 0.5
            axes.set(
                xscale="log",
                yscale="log" if log else "linear",
                xlabel=r"$\mathrm{SNR}_e = \|\beta^*\| / \sigma$",
                ylabel="rate of EM, largest eigenvalue of $M$",
                title=NAMES[model],
            )
            values = sorted(chosen["snr_expert"].unique())
            axes.set_xticks(values, [f"{value:g}" for value in values])
            axes.minorticks_off() if not log else axes.tick_params(axis="x", which="minor", bottom=False)
            top = chosen[["rate_90", "population_rate"]].max().max()
            bottom = chosen[["rate_10", "population_rate"]].min().min()
            axes.set_ylim((0.7 * bottom, 1.6) if log else (bottom - 0.01, min(1.0, top + 0.01) + 0.002))
            axes.axhline(1.0, color="0.4", lw=1)
            axes.legend(frameon=False, fontsize=8)
    return figure


def _line(axes, line, colour, gate):
    x, label = line["snr_expert"], rf"$\mathrm{{SNR}}_g$ = {gate:g}: "
    axes.plot(x, line["population_rate"], color=colour, lw=2, label=label + "population")
    axes.plot(x, line["snr_bound"], color=colour, ls=":", lw=1.6, label=label + "bound")
    spread = [line["rate"] - line["rate_10"], line["rate_90"] - line["rate"]]
    style = {"color": colour, "ls": "", "capsize": 3, "mfc": "white"}
    axes.errorbar(x, line["rate"], yerr=spread, marker="o", ms=7, label=label + "predicted", **style)
    axes.plot(x, line["observed"], color=colour, ls="", marker="x", ms=6, mew=1.6, label=label + "observed")


def _table(runs, traces):
    """One row per cell: medians over the samples, with the 10th and 90th percentile."""
    runs = runs[(runs["algorithm"] == "EM") & runs["optimum_strict"].eq(True)]
    rows = []
    for cell, group in cell_groups(runs):
        samples = group.drop_duplicates("repetition")
        middle, low, high = interval(samples["predicted_rate"])
        rows.append(
            {
                **cell,
                "samples": len(samples),
                "rate": middle,
                "rate_10": low,
                "rate_90": high,
                "observed": interval(samples["contraction"])[0],
                "observed_on_path": interval(samples["observed_rate"])[0],
                "population_rate": samples["population_rate"].iloc[0],
                "snr_bound": samples["snr_bound"].iloc[0],
            }
        )
    if not rows:
        raise ValueError("no sample has a strict optimum reached by EM")
    return pd.DataFrame(rows).sort_values(list(CELL)).reset_index(drop=True)


RATE = ReportFigure(
    name="snr_rate",
    title="Rate against SNR",
    caption="Lines: population EM at theta*, and the bound by the SNRs alone (dotted; above 1 it says nothing). "
    "Circles: predicted from the Hessians at each sample's own optimum, median over the samples, bars from the "
    "10th to the 90th percentile. Crosses: the spectral radius of the sample's EM map.",
    draw=_draw,
    table=_table,
)
