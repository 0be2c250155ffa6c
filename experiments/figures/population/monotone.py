"""Where the rate increases and where it decreases along one SNR, one panel per angle."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, log_edges, new_figure, styled


def draw(grids, axis):
    """Draw the change of the rate from each point of a grid to the next along one SNR.

    Parameters
    ----------
    grids : list of theory.RateGrid
        One panel each: snr_expert varies along the first axis, snr_gate along the second, cosine is constant.
    axis : int
        0 for SNR_e, 1 for SNR_g.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.colors import SymLogNorm

    name = ("e", "g")[axis]
    norm = SymLogNorm(1e-6, vmin=-1, vmax=1)
    with styled():
        figure = new_figure(3.1 * len(grids) + 1.0, 4.0)
        panels = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
        for axes, grid in zip(panels, grids):
            image = _panel(axes, grid, axis, norm)
        panels[0].set_ylabel(r"$\mathrm{SNR}_g$")
        label = rf"change of the rate per step of $\mathrm{{SNR}}_{name}$"
        figure.colorbar(image, ax=list(panels), label=label, fraction=0.03, ticks=_TICKS)
        figure.suptitle(
            rf"Monotone in $\mathrm{{SNR}}_{name}$? {grids[0].model}, d = {grids[0].d}"
            "\norange: the rate grows; purple: it falls; X: the step of the rarer sign that is largest"
        )
    return figure


_TICKS = [-1e-1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 1e-1]


def counter_example(grid, axis):
    """Return the largest step against the prevailing sign: its indices, or None where the rate is monotone.

    Parameters
    ----------
    grid : theory.RateGrid
    axis : int

    Returns
    -------
    tuple of int or None
        Where the step starts.
    """
    step = np.diff(grid.rate, axis=axis)
    budget = 2 * grid.error.max()
    prevailing = np.sign(step.sum())
    against = -prevailing * step
    where = np.unravel_index(int(against.argmax()), step.shape)
    return tuple(int(k) for k in where) if against[where] > budget else None


def _panel(axes, grid, axis, norm):
    step = np.diff(grid.rate, axis=axis)
    x, y = grid.snr_expert[:, 0], grid.snr_gate[0]
    middle = [np.sqrt(v[1:] * v[:-1]) if k == axis else v for k, v in enumerate((x, y))]
    image = axes.pcolormesh(*map(log_edges, middle), step.T, cmap="PuOr_r", norm=norm)
    found = counter_example(grid, axis)
    text = "monotone"
    if found is not None:
        axes.plot(middle[0][found[0]], middle[1][found[1]], "X", color=COLOURS[6], ms=11, mec="white")
        text = f"not monotone: {step[found]:+.1e}"
    axes.set(xscale="log", yscale="log", xlabel=r"$\mathrm{SNR}_e$")
    axes.set_title(f"cosine {float(grid.cosine.flat[0]):g}\n{text}", fontsize=10)
    axes.grid(visible=False)
    return image
