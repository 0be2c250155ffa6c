"""Criteria against the number of experts."""

from typing import Any

from emmd.displays.axes import COLOURS, OnAxes, axes_or_new

_SHOWN = ("aic", "bic", "adjusted_bic", "icl")


class SelectionDisplay(OnAxes):
    """A line for each criterion, and a mark at the chosen number of experts.

    Parameters
    ----------
    table : pandas.DataFrame
        Of a `Selection`.
    best : int
    criterion : str
    """

    def __init__(self, table: Any, best: int, criterion: str) -> None:
        self.table, self.best, self.criterion = table, best, criterion

    @classmethod
    def from_selection(cls, selection: Any, ax: Any = None) -> "SelectionDisplay":
        """Draw what `emmd.select_experts` has returned."""
        return cls(selection.table, selection.best, selection.criterion).plot(ax)

    def plot(self, ax: Any = None) -> "SelectionDisplay":
        """Draw on the given axes, or on a new figure."""
        self.ax_ = axes_or_new(ax)
        table = self.table.sort_index()
        for name, colour in zip(_SHOWN, COLOURS):
            self.ax_.plot(table.index, table[name], marker="o", color=colour, label=name.replace("_", " "))
        low = table.loc[self.best, self.criterion]
        self.ax_.plot([self.best], [low], marker="*", markersize=16, color="black", lw=0, label="chosen")
        self.ax_.set_xticks(table.index)
        return self._labelled("experts", "criterion (lower is better)")
