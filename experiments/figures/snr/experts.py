"""EM's rate against the number of experts at fixed separations: predicted and observed."""

from emmd.experiments.figures.style import COLOURS, new_figure, styled
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.rates import rate_table


def _draw(runs, traces):
    table = rate_table(runs, traces)
    if "n_experts" not in table:
        raise ValueError("no run has a number of experts: the sweep needs problems of model 'moe'")
    panels = list(table.groupby([key for key in ("family", "snr_gate") if key in table]))
    with styled():
        figure = new_figure(4.6 * len(panels), 4.8)
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, ((family, gate), chosen) in zip(row, panels):
            for colour, (expert, line) in zip(COLOURS, chosen.groupby("snr_expert")):
                _line(axes, line, colour, expert)
            axes.set(
                xlabel="number of experts K",
                title=rf"{family}, $\mathrm{{SNR}}_g$ = {gate:g}",
                xticks=sorted(chosen["n_experts"].unique()),
            )
            axes.axhline(1.0, color="0.4", lw=1)
        row[0].set_ylabel("rate of EM, largest eigenvalue of $M$")
        row[0].plot([], [], color="0.2", ls="--", marker="o", mfc="white", label="predicted for the sample")
        row[0].plot([], [], color="0.2", ls="", marker="x", label="observed on the sample")
        handles = row[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _line(axes, line, colour, expert):
    x, label = line["n_experts"], rf"$\mathrm{{SNR}}_e$ = {expert:g}"
    spread = [line["rate"] - line["rate_10"], line["rate_90"] - line["rate"]]
    style = {"label": label, "ls": "--", "lw": 1, "capsize": 3, "marker": "o", "ms": 8, "mfc": "white"}
    axes.errorbar(x, line["rate"], yerr=spread, color=colour, **style)
    axes.plot(x, line["observed"], color=colour, ls="", marker="x", ms=5, mew=1.4, zorder=5)


EXPERTS = ReportFigure(
    name="snr_experts",
    title="Rate against the number of experts",
    caption="All pairs of experts and all pairs of gate vectors are equally far apart, whatever K. Circles: "
    "predicted from the Hessians at each sample's own optimum, median over the samples, bars from the 10th "
    "to the 90th percentile. Crosses: the spectral radius of the sample's EM map.",
    draw=_draw,
    table=rate_table,
)
