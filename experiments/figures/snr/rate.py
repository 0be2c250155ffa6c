"""EM's rate against the signal-to-noise ratio: sample, population and bound."""

from emmd.experiments.figures.style import COLOURS, new_figure, plain_ticks, styled
from emmd.experiments.snr.report.cells import NAMES
from emmd.experiments.snr.report.figure import ReportFigure
from emmd.experiments.snr.report.rates import rate_table


def _draw(runs, traces):
    table = rate_table(runs, traces)
    models = sorted(table["model"].unique(), key=list(NAMES).index)
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
            plain_ticks(axes, chosen["snr_expert"])
            top = chosen[["rate_90", "population_rate"]].max().max()
            bottom = chosen[["rate_10", "population_rate"]].min().min()
            axes.set_ylim((0.7 * bottom, 1.6) if log else (bottom - 0.01, min(1.0, top + 0.01) + 0.002))
            axes.axhline(1.0, color="0.4", lw=1)
            _legend(axes)
    return figure


def _line(axes, line, colour, gate):
    x = line["snr_expert"]
    axes.plot(x, line["population_rate"], color=colour, lw=2, label=rf"$\mathrm{{SNR}}_g$ = {gate:g}")
    axes.plot(x, line["snr_bound"], color=colour, ls=":", lw=1.6)
    spread = [line["rate"] - line["rate_10"], line["rate_90"] - line["rate"]]
    axes.errorbar(x, line["rate"], yerr=spread, color=colour, ls="", capsize=3, marker="o", ms=8, mfc="white")
    axes.plot(x, line["observed"], color=colour, ls="", marker="x", ms=5, mew=1.4, zorder=5)


def _legend(axes):
    """Colours tell the gates apart, line styles and markers what is drawn."""
    axes.plot([], [], color="0.2", lw=2, label="population")
    axes.plot([], [], color="0.2", ls=":", lw=1.6, label="bound by the SNRs")
    axes.plot([], [], color="0.2", ls="", marker="o", ms=8, mfc="white", label="predicted for the sample")
    axes.plot([], [], color="0.2", ls="", marker="x", ms=5, mew=1.4, label="observed on the sample")
    axes.legend(frameon=True, framealpha=0.85, fontsize=8)


RATE = ReportFigure(
    name="snr_rate",
    title="Rate against SNR",
    caption="Lines: population EM at theta*, and the bound by the SNRs alone (dotted; above 1 it says "
    "nothing). Circles: predicted from the Hessians at each sample's own optimum, median over the samples, "
    "bars from the 10th to the 90th percentile. Crosses: the spectral radius of the sample's EM map.",
    draw=_draw,
    table=rate_table,
)
