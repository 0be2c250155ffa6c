"""Axes to draw on: the user's, or those of a new figure that no window holds."""

from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, which colour-blind people can tell apart."""


def axes_or_new(ax: Any, columns: int = 1) -> Any:
    """Return the given axes, or as many new ones; without pyplot, so that no backend is asked for."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0 * columns + 1.0, 4.0), layout="constrained")
    return figure.subplots(1, columns)


class OnAxes:
    """A display that draws on one pair of axes.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        After `plot`.
    """

    ax_: Any
    figure_: Any

    def _labelled(self, xlabel: str, ylabel: str, legend: bool = True) -> Any:
        """Name the axes, say what is drawn, and return the display."""
        self.ax_.set(xlabel=xlabel, ylabel=ylabel)
        if legend:
            self.ax_.legend()
        self.figure_ = self.ax_.figure
        return self


def literal(text: Any) -> str:
    """Return text that matplotlib shows as it is: a dollar sign begins no formula."""
    return str(text).replace("$", r"\$")
