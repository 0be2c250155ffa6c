"""A bound on the rate against the truth, both against the expert SNR."""

from emmd.experiments.figures.style import COLOURS, new_figure, styled


def draw(snr_expert, curves):
    """Draw rates with their bounds.

    Parameters
    ----------
    snr_expert : ndarray of shape (n,)
    curves : list of (label, rate, bound)
        Rate and bound of shape (n,).

    Returns
    -------
    matplotlib.figure.Figure
    """
    with styled():
        figure = new_figure(6.8, 4.4)
        axes = figure.add_subplot()
        for colour, (label, rate, bound) in zip(COLOURS, curves):
            axes.plot(snr_expert, rate, color=colour, lw=2.2, label=label)
            axes.plot(snr_expert, bound, color=colour, lw=1.4, ls="--")
        axes.plot([], [], color="0.15", lw=1.4, ls="--", label="bound S4")
        axes.axhspan(1.0, 1e3, color="0.9", zorder=0)
        axes.annotate("above 1: vacuous", (snr_expert[0] * 1.15, 1.5), color="0.35")
        lowest = min(rate.min() for _, rate, _ in curves)
        axes.set(
            xscale="log",
            yscale="log",
            xlabel=r"$\mathrm{SNR}_e$",
            ylabel=r"$\lambda_{\max}(M(\theta^*))$",
            xlim=(snr_expert[0], snr_expert[-1]),
            ylim=(lowest / 1.5, 3.0),
            title="Linear experts: a bound on the rate, and the rate",
        )
        axes.legend(loc="lower left", frameon=False)
    return figure
