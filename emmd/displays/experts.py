"""The experts and the gate along one feature."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import describe, known_name, positive_integer
from emmd.displays.axes import COLOURS, OnAxes, axes_or_new, literal
from emmd.inference.terms import feature_names

_GRID = 200


class ExpertsDisplay(OnAxes):
    """Every expert's mean (or probability of the last class) along one feature, as thick as its share.

    Parameters
    ----------
    values : ndarray of shape (m,)
        Of the feature.
    experts, gate : ndarray of shape (m, K)
    feature : str
    """

    def __init__(self, values: np.ndarray, experts: np.ndarray, gate: np.ndarray, feature: str) -> None:
        self.values, self.experts, self.gate, self.feature = values, experts, gate, feature

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike | None = None, *, feature: Any = 0, ax: Any = None
    ) -> "ExpertsDisplay":
        """Draw a fitted estimator along one feature, all others at their means.

        Parameters
        ----------
        estimator : fitted estimator
        X : array_like of shape (n, d)
        y : array_like of shape (n,), optional
            Drawn as points for a regressor.
        feature : int or str
            Number or name.
        ax : matplotlib.axes.Axes, optional
        """
        table, names = np.asarray(X, dtype=float), feature_names(estimator)
        if table.ndim != 2 or table.shape[1] != len(names):
            raise ValueError(f"X must have {len(names)} columns, got {describe(table)}")
        if isinstance(feature, str):
            column = names.index(known_name("feature", feature, names))
        else:
            column = positive_integer("feature", feature, minimum=0, maximum=len(names) - 1)
        grid = np.tile(table.mean(axis=0), (_GRID, 1))
        grid[:, column] = np.linspace(table[:, column].min(), table[:, column].max(), _GRID)
        if hasattr(estimator, "feature_names_in_"):
            from pandas import DataFrame

            rows = DataFrame(grid, columns=estimator.feature_names_in_)
        else:
            rows = grid
        experts = estimator.predict_experts(rows)
        experts = experts if experts.ndim == 2 else experts[..., -1]
        display = cls(grid[:, column], experts, estimator.gate_proba(rows), names[column])
        points = None if y is None or hasattr(estimator, "classes_") else (table[:, column], y)
        return display.plot(ax, points)

    def plot(self, ax: Any = None, points: Any = None) -> "ExpertsDisplay":
        """Draw on the given axes, or on a new figure; `points` are values of the feature and targets."""
        self.ax_ = axes_or_new(ax)
        if points is not None:
            self.ax_.scatter(*points, s=8, color="0.6", lw=0)
        for k, (mean, share) in enumerate(zip(self.experts.T, self.gate.T)):
            colour = COLOURS[k % len(COLOURS)]
            self.ax_.plot(self.values, mean, color=colour, lw=0.8, label=f"expert {k + 1}")
            self.ax_.scatter(self.values, mean, s=40.0 * share, color=colour, lw=0)
        return self._labelled(literal(self.feature), "mean of y")
