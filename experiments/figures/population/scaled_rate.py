"""SNR times the eigenvalues of mixed linear regression against SNR, with the limits and the bound."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled


def draw(snr, gate, expert, limits):
    """Draw SNR * lambda for w* = 0.

    Parameters
    ----------
    snr, gate, expert : ndarray of shape (n,)
        Expert SNR, and the two eigenvalues there.
    limits : tuple of float
        Limits of SNR times the gate's and the expert's eigenvalue.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with styled():
        figure = new_figure(6.4, 4.2)
        axes = figure.add_subplot()
        bound = snr / np.sqrt(1 + snr**2)
        axes.plot(
            snr,
            bound,
            color=COLOURS[6],
            ls=":",
            lw=1.8,
            label=r"bound $\mathrm{SNR}/\sqrt{1+\mathrm{SNR}^2}$",
        )
        rows = (("gate (the rate)", gate, limits[0], 0), ("expert", expert, limits[1], 1))
        for name, values, limit, k in rows:
            axes.plot(snr, snr * values, color=COLOURS[k], lw=2.2, label=name)
            axes.axhline(limit, color=COLOURS[k], ls="--", lw=1.2)
            axes.annotate(
                f"{limit:.10f}", (snr[0], limit), xytext=(2, 4), textcoords="offset points", color=COLOURS[k]
            )
        axes.set(
            xscale="log",
            xlabel="SNR",
            ylabel=r"$\mathrm{SNR} \cdot \lambda$",
            xlim=(snr[0], snr[-1]),
            ylim=(0, 1.08),
            title="Mixed linear regression: the rate falls like 1 / SNR",
        )
        axes.legend(loc="lower right", frameon=False)
    return figure
