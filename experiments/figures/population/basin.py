"""Basins of attraction of population EM in a slice of parameter space, and the steps it takes."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled

# limits that are no copy of theta*: not arrived, another stationary point
_OTHER = ("#000000", "#999999")
_OTHER_NAMES = ("not there after the last step", "another stationary point")


def draw(title, basin, names):
    """Draw where EM leads (left) and after how many steps (right).

    Parameters
    ----------
    title : str
    basin : theory.BasinMap
    names : list of str
        Names of its copies of theta*.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
    from matplotlib.patches import Patch

    with styled():
        figure = new_figure(9.6, 5.0)
        left, right = figure.subplots(1, 2, sharey=True)
        palette = [*_OTHER, *COLOURS[: len(names)]]
        norm = BoundaryNorm(np.arange(-2.5, len(names)), len(palette))
        left.pcolormesh(
            basin.u, basin.v, basin.copy.T, cmap=ListedColormap(palette), norm=norm, shading="nearest"
        )
        labels = [*_OTHER_NAMES, *names]
        seen = np.unique(basin.copy).tolist()
        handles = [Patch(color=palette[k + 2], label=labels[k + 2]) for k in seen]
        left.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
        steps = np.maximum(basin.iterations, 1)
        image = right.pcolormesh(
            basin.u, basin.v, steps.T, cmap="cividis", norm=LogNorm(1, max(steps.max(), 2)), shading="nearest"
        )
        figure.colorbar(image, ax=right, label="EM steps to within 1 % of its limit")
        for axes, name in ((left, "limit"), (right, "steps")):
            axes.plot([1, -1], [0, 0], "*", color="white", mec="black", ms=14)
            axes.set(xlabel=r"$u$: start $= u\,\theta^* + v\,\theta_\perp$", title=name, aspect="equal")
            axes.grid(visible=False)
        left.set_ylabel("$v$")
        figure.suptitle(title)
    return figure
