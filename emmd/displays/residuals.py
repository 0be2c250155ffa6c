"""Whether the mixture's distribution fits: quantile residuals against normal quantiles and predictions."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from emmd.displays.axes import COLOURS, axes_or_new


class ResidualsDisplay:
    """A normal quantile plot of quantile residuals, and the residuals against the predictions.

    Parameters
    ----------
    residuals, predictions : ndarray of shape (n,)

    Attributes
    ----------
    axes_ : ndarray of two matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure
        After `plot`.
    """

    axes_: Any
    figure_: Any

    def __init__(self, residuals: np.ndarray, predictions: np.ndarray) -> None:
        self.residuals, self.predictions = residuals, predictions

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, random_state: Any = None, axes: Any = None
    ) -> "ResidualsDisplay":
        """Draw the residuals of a fitted `MixtureOfExpertsRegressor`."""
        return cls(estimator.quantile_residuals(X, y, random_state), estimator.predict(X)).plot(axes)

    def plot(self, axes: Any = None) -> "ResidualsDisplay":
        """Draw on two given axes, or on a new figure."""
        self.axes_ = left, right = axes_or_new(axes, 2)
        n = len(self.residuals)
        normal, ordered = ndtri((np.arange(n) + 0.5) / n), np.sort(self.residuals)
        ends = [min(normal[0], ordered[0]), max(normal[-1], ordered[-1])]
        left.plot(ends, ends, color="black", lw=1)
        left.scatter(normal, ordered, s=10, color=COLOURS[0], lw=0)
        left.set(xlabel="normal quantile", ylabel="quantile residual")
        right.axhline(0.0, color="black", lw=1)
        right.scatter(self.predictions, self.residuals, s=10, color=COLOURS[0], lw=0, alpha=0.6)
        right.set(xlabel="prediction", ylabel="quantile residual")
        self.figure_ = left.figure
        return self
