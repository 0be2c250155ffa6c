"""Slack map of a user's bound on the rate, one panel per angle; where it fails is crossed."""

import math

import numpy as np

from emmd.experiments.console.text import for_figure
from emmd.experiments.figures.style import COLOURS, log_edges, new_figure, styled

_COLUMNS = 4


def draw(check):
    """Draw what is left of a bound over its grid.

    Parameters
    ----------
    check : theory.BoundCheck

    Returns
    -------
    matplotlib.figure.Figure
    """
    cosines = check.grid.cosine
    reach = float(min(np.abs(check.slack).max(), 10.0))
    from matplotlib.colors import SymLogNorm

    norm = SymLogNorm(1e-2 * reach, vmin=-reach, vmax=reach)
    with styled():
        columns = min(len(cosines), _COLUMNS)
        rows = math.ceil(len(cosines) / columns)
        figure = new_figure(2.7 * columns + 1.2, 2.9 * rows + 0.9)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        lowest = panels.ravel()[max(0, len(cosines) - columns) : len(cosines)]
        unused, panels = panels.ravel()[len(cosines) :], panels.ravel()[: len(cosines)]
        for axes in unused:
            axes.remove()
        for k, (axes, cosine) in enumerate(zip(panels, cosines)):
            image = _panel(axes, check, check.slack[:, :, k], norm)
            axes.set_title(f"cosine {cosine:g}")
        _mark(panels, check)
        for axes in panels[::columns]:
            axes.set_ylabel(r"$\mathrm{SNR}_g$")
        for axes in lowest:
            axes.set_xlabel(r"$\mathrm{SNR}_e$")
            axes.tick_params(labelbottom=True)
        ticks = reach * np.array([-1.0, -0.1, 0.0, 0.1, 1.0])
        figure.colorbar(image, ax=list(panels), label="slack", fraction=0.03, ticks=ticks, format="%.2g")
        figure.suptitle(_title(check), fontsize=11)
    return figure


def _panel(axes, check, slack, norm):
    x, y = np.array(check.grid.snr_expert), np.array(check.grid.snr_gate)
    image = axes.pcolormesh(log_edges(x), log_edges(y), slack.T, cmap="PuOr_r", norm=norm)
    if (slack < 0).any():
        i, j = np.nonzero(slack < 0)
        axes.scatter(x[i], y[j], marker="x", s=16, lw=1.0, color=COLOURS[6])
    axes.set(xscale="log", yscale="log")
    axes.grid(visible=False)
    return image


def _mark(panels, check):
    """Mark the point that decided in the panel with the nearest angle."""
    nearest = int(np.argmin(np.abs(np.subtract(check.grid.cosine, check.point["cosine"]))))
    point = check.point["snr_expert"], check.point["snr_gate"]
    panels[nearest].plot(*point, "X", color=COLOURS[6], ms=11, mec="white", clip_on=False, zorder=5)


def _title(check):
    text = for_figure(check.text, 60)
    slack = (check.bound - check.rate) * (1.0 if check.kind == "upper" else -1.0)
    return (
        f"{check.kind} bound {text}, {check.model}, d = {check.grid.d}: {check.verdict.value}\n"
        f"least slack (X) {slack:.3g} at cosine {check.point['cosine']:.3g}"
    )
