"""The data of a symmetric model: what its methods read."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.rows.design import Design


@dataclass(frozen=True)
class SymmetricData:
    """A weighted sample in working units.

    Attributes
    ----------
    design : Design
    y : ndarray of shape (n,)
        Target in units of sigma.
    parameter_scale : ndarray of shape (2d,)
        The change of a predictor per unit of each parameter.
    """

    design: Design
    y: np.ndarray
    parameter_scale: np.ndarray

    def add_up(self, sums: Any, *arguments):
        """Return ``sums(data, *arguments)``, a sum over all rows."""
        return sums(self, *arguments)

    @property
    def X(self):
        """Features, shape (n, d)."""
        return self.design.X

    @property
    def weights(self):
        """Weights with sum 1, shape (n,)."""
        return self.design.weights
