"""Heat maps of the rate of population EM over both SNRs, one panel per angle."""

import numpy as np

from emmd.experiments.figures.style import new_figure, styled

_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
# white on the dark half of the map, black on the bright one
_LINES = ("white", "white", "white", "black", "black", "black")


def draw(grids):
    """Draw rates with contour lines.

    Parameters
    ----------
    grids : list of theory.RateGrid
        One panel each: snr_expert varies along the first axis, snr_gate along the second, cosine is constant.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with styled():
        figure = new_figure(3.1 * len(grids) + 1.0, 3.6)
        panels = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
        for axes, grid in zip(panels, grids):
            image = _panel(axes, grid)
        panels[0].set_ylabel(r"$\mathrm{SNR}_g$")
        figure.colorbar(image, ax=list(panels), label=r"rate $\lambda_{\max}(M(\theta^*))$", fraction=0.03)
        figure.suptitle(f"Rate of population EM, {grids[0].model}, d = {grids[0].d}")
    return figure


def _panel(axes, grid):
    x, y = grid.snr_expert[:, 0], grid.snr_gate[0]
    image = axes.pcolormesh(x, y, grid.rate.T, cmap="cividis", vmin=0, vmax=1, shading="gouraud")
    lines = axes.contour(x, y, grid.rate.T, levels=_LEVELS, colors=_LINES, linewidths=0.9)
    axes.set(xscale="log", yscale="log")
    labels = axes.clabel(
        lines, fmt="%g", fontsize=8, inline=False, colors="black", manual=_spots(lines, x, y)
    )
    for label in labels:
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6})
        label.set_rotation(0)
    axes.set(xlabel=r"$\mathrm{SNR}_e$", title=f"cosine {_cosine(grid):g}")
    axes.grid(visible=False)
    return image


def _spots(lines, x, y):
    """One point on each contour line, at heights that climb from line to line, so that labels keep apart.

    Labels are centred on their points: a point near the left or right edge would lose half of its label.
    """
    spots = []
    heights = np.geomspace(2 * y[0], y[-1] / 2, len(lines.levels))
    for height, path in zip(heights, lines.get_paths()):
        across, up = path.vertices.T
        inner = path.vertices[(across > 2 * x[0]) & (across < x[-1] / 2) & (up < y[-1] / 1.5)]
        if len(inner):
            spots.append(tuple(inner[np.abs(np.log(inner[:, 1] / height)).argmin()]))
    return spots


def _cosine(grid):
    return float(np.unique(grid.cosine)[0])
