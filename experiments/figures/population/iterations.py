"""Iterations of population EM to 1e-8 against SNR, from the exact rates."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled

_ACCURACY = 1e-8


def draw(snr, curves):
    """Draw log(1e-8) / log(rate).

    Parameters
    ----------
    snr : ndarray of shape (n,)
    curves : list of (label, rate)
        Rates of shape (n,), below 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with styled():
        figure = new_figure(6.6, 4.4)
        axes = figure.add_subplot()
        for k, (label, rate) in enumerate(curves):
            iterations = np.log(_ACCURACY) / np.log(rate)
            axes.plot(snr, iterations, color=COLOURS[k % 7], ls=("-", "--", ":")[k % 3], lw=2.2, label=label)
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="SNR",
            ylabel=r"iterations to $10^{-8}$",
            xlim=(snr[0], snr[-1]),
            title=r"Population EM: $\log 10^{-8} / \log \lambda_{\max}$",
        )
        axes.legend(frameon=False)
    return figure
