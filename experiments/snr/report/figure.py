"""What a figure of the report is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ReportFigure:
    """Each figure is one file in `experiments.figures`, drawn from the store's tables alone.

    Attributes
    ----------
    name : str
        What the key ``figures`` of an experiment file calls it, and its file name.
    title : str
    caption : str
        What is shown, with its uncertainty.
    draw : callable
        ``draw(runs, traces)`` returns a `matplotlib.figure.Figure`; `runs` and `traces` are the data
        frames of `emmd.load_runs` and `emmd.load_traces`.
    table : callable
        ``table(runs, traces)`` returns the data frame of the numbers behind the figure.
    """

    name: str
    title: str
    caption: str
    draw: Callable
    table: Callable
