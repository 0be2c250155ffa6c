"""How the loss of a run came down."""

from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from emmd.core.checks import describe
from emmd.displays.axes import COLOURS, OnAxes, axes_or_new


class ConvergenceDisplay(OnAxes):
    """The loss above its last value, against iterations, on a logarithmic axis.

    Parameters
    ----------
    losses : ndarray of shape (T,)
    """

    def __init__(self, losses: np.ndarray) -> None:
        self.losses = losses

    @classmethod
    def from_result(cls, result: OptimizeResult, ax: Any = None, label: str | None = None) -> Any:
        """Draw a result of `emmd.minimize`, or a fitted estimator.

        Parameters
        ----------
        result : scipy.optimize.OptimizeResult or fitted estimator
        ax : matplotlib.axes.Axes, optional
        label : str, optional
            For a legend.
        """
        if hasattr(result, "trace_"):
            losses = -np.asarray(result.trace_)
        elif hasattr(result, "trace"):
            losses = np.asarray(result.trace.loss)
        else:
            raise TypeError(
                f"result must be a result of emmd.minimize or a fitted estimator, got {describe(result)}"
            )
        return cls(losses).plot(ax, label)

    def plot(self, ax: Any = None, label: str | None = None) -> "ConvergenceDisplay":
        """Draw on the given axes, or on a new figure."""
        self.ax_ = axes_or_new(ax)
        excess = self.losses - self.losses.min()
        shown = np.flatnonzero(excess > 0.0)
        self.ax_.plot(shown, excess[shown], color=None if label else COLOURS[0], label=label)
        if len(shown):
            self.ax_.set_yscale("log")
        return self._labelled("iteration", "loss above the least", label is not None)
