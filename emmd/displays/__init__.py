"""Figures as scikit-learn makes them: a class with ``from_...``, ``plot`` and the axes it has drawn on."""

from emmd.displays.convergence import ConvergenceDisplay
from emmd.displays.experts import ExpertsDisplay
from emmd.displays.residuals import ResidualsDisplay
from emmd.displays.selection import SelectionDisplay

__all__ = ["ConvergenceDisplay", "ExpertsDisplay", "ResidualsDisplay", "SelectionDisplay"]
