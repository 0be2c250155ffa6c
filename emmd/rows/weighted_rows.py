"""What a weighted fit sees: features, statistics and weights of its rows, through sums over them."""

from functools import cached_property
from typing import Any

import numpy as np


def gram(rows):
    """Return ``sum_i weights_i x_i x_i'``, shape (d, d)."""
    return rows.design.gram(rows.weights)


def _totals(rows):
    return np.concatenate([[rows.weights.sum()], rows.weights @ rows.statistics])


class RowSums:
    """Rows of a weighted fit, here or elsewhere: what does not grow with their number.

    A fit that asks for sums alone runs on rows that lie anywhere.

    Attributes
    ----------
    design : SecondMoment
        Of the features.
    """

    design: Any

    def add_up(self, sums, *arguments):
        """Return the total of ``sums(rows, *arguments)`` over `Rows`, an array or a number.

        Parameters
        ----------
        sums : callable
            A sum over rows, linear in their weights; a function of a module, so that it can be sent away.
        *arguments
        """
        raise NotImplementedError

    @cached_property
    def _totals(self):
        return self.add_up(_totals)

    @property
    def mass(self):
        """Sum of the weights."""
        return self._totals[0]

    @property
    def mean(self):
        """Weighted mean of the statistics, shape (S,)."""
        return self._totals[1:] / self.mass


class Rows(RowSums):
    """Rows that are here.

    Parameters
    ----------
    design : Design
    statistics : ndarray
        Of an expert: T(y) or a mean of it, shape (n, S). Of a gate: its responsibilities, shape (K, n).
    weights : ndarray of shape (n,)
        Of an expert: weight times responsibility.

    Attributes
    ----------
    kept : dict
        What a fit keeps from one sum for the next; it may find it empty.
    """

    def __init__(self, design, statistics, weights):
        self.design, self.statistics, self.weights = design, statistics, weights
        self.kept = {}

    def add_up(self, sums, *arguments):
        """Return ``sums(self, *arguments)``."""
        return sums(self, *arguments)
