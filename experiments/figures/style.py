"""One look for all figures: colour-blind-safe colours, readable sizes, no pyplot state.

matplotlib is imported when something is drawn: the names of figures are wanted much more often.
"""

import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, darker ones first."""

_RC: dict = {
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 11,
    "legend.fontsize": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def new_figure(width=7.0, height=4.5):
    """Return an empty constrained-layout figure, size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def styled():
    """Return a context in which axes take the house style; create axes inside it."""
    import matplotlib as mpl

    return mpl.rc_context(_RC)


def plain_ticks(axes, values):
    """Put ticks with plain numbers at the given values of a logarithmic horizontal axis, and nowhere else."""
    from matplotlib.ticker import NullLocator

    values = sorted(set(values))
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.xaxis.set_minor_locator(NullLocator())


def log_edges(values):
    """Edges of the cells around ascending positive values, shape (n + 1,): half way on a logarithmic axis."""
    middle = np.sqrt(values[1:] * values[:-1])
    return np.concatenate([[values[0] ** 2 / middle[0]], middle, [values[-1] ** 2 / middle[-1]]])


def settle(figure):
    """Lay a figure out once: left to itself it is laid out anew for every file that it is written to."""
    if figure.get_layout_engine() is not None:
        with any_letters():
            figure.draw_without_rendering()
        figure.set_layout_engine(None)


@contextmanager
def any_letters():
    """Let a box stand where the font lacks a letter of a user's name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def save(figure, folder, name):
    """Write a figure as PNG and PDF.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    folder : str or Path
        Created when missing.
    name : str
        File name without ending.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    settle(figure)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{name}.{ending}" for ending in ("png", "pdf")]
        with any_letters():
            for path in paths:
                figure.savefig(path, dpi=150)
    except OSError as error:
        raise ValueError(f"--out must be a folder that can be written to, got {folder}: {error}") from error
    return paths
