"""Paths of population EM over the contours of the population loss, in the plane of beta."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled


def draw(title, axes_values, loss, paths, optima):
    """Draw paths over loss contours.

    Parameters
    ----------
    title : str
    axes_values : tuple of ndarray
        Coordinates along beta* (n,) and across it (m,).
    loss : ndarray of shape (n, m)
        Population loss above its minimum, at the w that minimises it.
    paths : list of ndarray of shape (T + 1, 2)
        Coordinates of beta_t.
    optima : ndarray of shape (k, 2)
        Global optima.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.colors import LogNorm

    with styled():
        figure = new_figure(7.2, 5.2)
        axes = figure.add_subplot()
        axes_values, loss = _smooth(axes_values, loss)
        levels = np.geomspace(3e-3 * loss.max(), loss.max(), 12)
        lines = axes.contour(
            *axes_values,
            np.maximum(loss.T, 1e-3 * levels[0]),
            levels=levels,
            cmap="cividis",
            norm=LogNorm(levels[0], 3 * levels[-1]),
        )
        figure.colorbar(lines, ax=axes, label="loss above its minimum, best $w$", format="%.2g")
        for k, path in enumerate(paths):
            axes.plot(*path.T, "o-", color=COLOURS[k % 6], lw=1.6, ms=3.5)
            axes.plot(*path[0], "s", color=COLOURS[k % 6], ms=7)
        axes.plot(*optima.T, "*", color="black", ms=14, zorder=5, label=r"$\theta^*$ and its copies")
        axes.plot([], [], "s-", color="0.4", label="EM, from its start")
        axes.set(
            xlabel=r"$\beta$ along $\beta^*$", ylabel=r"$\beta$ across $\beta^*$", title=title, aspect="equal"
        )
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    return figure


def _smooth(axes_values, loss):
    """Refine the grid fourfold by splines: the loss is smooth, straight pieces of contours are not."""
    from scipy.interpolate import RectBivariateSpline

    fine = [np.linspace(v[0], v[-1], 4 * len(v)) for v in axes_values]
    return fine, RectBivariateSpline(*axes_values, loss)(*fine)
