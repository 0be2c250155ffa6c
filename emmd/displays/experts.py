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
    feature, target : str
        What they are called.
    """

    def __init__(
        self, values: np.ndarray, experts: np.ndarray, gate: np.ndarray, feature: str, target: str = "y"
    ) -> None:
        self.values, self.experts, self.gate = values, experts, gate
        self.feature, self.target = feature, target

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        feature: Any = 0,
        target: Any = 0,
        ax: Any = None,
    ) -> "ExpertsDisplay":
        """Draw a fitted estimator along one feature, all others at their means.

        Parameters
        ----------
        estimator : fitted estimator
        X : array_like of shape (n, d)
        y : array_like of shape (n,) or (n, m), optional
            Drawn as points for a regressor.
        feature, target : int or str
            Number or name; of a target where there are several.
        ax : matplotlib.axes.Axes, optional
        """
        table, names = np.asarray(X, dtype=float), feature_names(estimator)
        if table.ndim != 2 or table.shape[1] != len(names):
            raise ValueError(f"X must have {len(names)} columns, got {describe(table)}")
        column = _place("feature", feature, names)
        targets = list(getattr(estimator, "target_names_", ["y"]))
        chosen = _place("target", target, targets)
        grid = np.tile(table.mean(axis=0), (_GRID, 1))
        grid[:, column] = np.linspace(table[:, column].min(), table[:, column].max(), _GRID)
        if hasattr(estimator, "feature_names_in_"):
            from pandas import DataFrame

            rows = DataFrame(grid, columns=estimator.feature_names_in_)
        else:
            rows = grid
        experts = estimator.predict_experts(rows)
        labels = hasattr(estimator, "classes_")
        experts = experts if experts.ndim == 2 else experts[..., -1 if labels else chosen]
        display = cls(grid[:, column], experts, estimator.gate_proba(rows), names[column], targets[chosen])
        if y is None or labels:
            return display.plot(ax)
        return display.plot(ax, (table[:, column], np.asarray(y).reshape(len(table), -1)[:, chosen]))

    def plot(self, ax: Any = None, points: Any = None) -> "ExpertsDisplay":
        """Draw on the given axes, or on a new figure; `points` are values of the feature and targets."""
        self.ax_ = axes_or_new(ax)
        if points is not None:
            self.ax_.scatter(*points, s=8, color="0.6", lw=0)
        for k, (mean, share) in enumerate(zip(self.experts.T, self.gate.T)):
            colour = COLOURS[k % len(COLOURS)]
            self.ax_.plot(self.values, mean, color=colour, lw=0.8, label=f"expert {k + 1}")
            self.ax_.scatter(self.values, mean, s=40.0 * share, color=colour, lw=0)
        return self._labelled(literal(self.feature), f"mean of {literal(self.target)}")


def _place(argument, value, names):
    """Return the place of one of some names, which is given by itself or by its number."""
    if isinstance(value, str):
        return names.index(known_name(argument, value, names))
    return positive_integer(argument, value, minimum=0, maximum=len(names) - 1)
