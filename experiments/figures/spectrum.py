"""The spectrum of the missing information, with the rates it implies."""

import numpy as np

from emmd.experiments.figures.style import COLOURS, new_figure, styled

CAPTION = """Eigenvalues of the missing information, predicted from the Hessians, beside those of the Jacobian
of EM's own map, from map evaluations alone. The largest is EM's rate."""


def draw(title, eigenvalues, observed, best):
    """Draw predicted and observed eigenvalues.

    Parameters
    ----------
    title : str
    eigenvalues : ndarray of shape (p,)
        Of M, from the pencil, ascending.
    observed : ndarray of shape (p,)
        Of EM's own Jacobian, ascending.
    best : float
        Best constant step of mirror descent.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with styled():
        figure = new_figure(7.0, 4.0)
        axes = figure.add_subplot()
        index = np.arange(1, len(eigenvalues) + 1)
        axes.vlines(index, 0, eigenvalues, color=COLOURS[0], alpha=0.4, lw=3)
        axes.plot(index, eigenvalues, "o", color=COLOURS[0], ms=8, label=r"eigenvalues of $M$, predicted")
        axes.plot(index, observed, "x", color=COLOURS[1], ms=8, mew=2, label="of EM's Jacobian, observed")
        axes.axhline(1.0, color="0.4", lw=1)
        axes.set(
            xlabel="index",
            ylabel="eigenvalue",
            title=title,
            ylim=(0, 1.45),
            yticks=np.linspace(0, 1, 6),
            xticks=_ticks(len(index)),
        )
        axes.legend(frameon=True, framealpha=0.9, loc="upper left", title=_rates(eigenvalues, best))
    return figure


def _ticks(count):
    return np.unique(np.linspace(1, count, min(count, 12)).astype(int))


def _rates(values, best):
    radius = np.abs(1.0 - best * (1.0 - values)).max()
    return f"rate of EM {values[-1]:.4f}; best step {best:.3f}, rate {radius:.4f}"
