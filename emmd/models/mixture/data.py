"""The data of a mixture of experts: what its methods read, and the sums and fits that rows take part in."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from emmd.core.protocols.family import Family
from emmd.rows.weighted_rows import Rows


@dataclass(frozen=True)
class MixtureData:
    """A weighted sample.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    designs : dict of str to Design or None
        Features of the experts, of the gate, and of constants (None).
    y : ndarray of shape (n,)
    family : Family
    sizes : ndarray of shape (q,)
        Size of each of an expert's predictors that matters, see `Family.unit`.
    unit : ndarray of shape (p,)
        Size of each parameter's predictor, per unit of the parameter.
    """

    X: np.ndarray
    designs: dict
    y: np.ndarray
    family: Family
    sizes: np.ndarray
    unit: np.ndarray

    @property
    def weights(self):
        """Weights with sum 1, shape (n,)."""
        return self.designs["expert"].weights

    @cached_property
    def kernel_rows(self):
        """What kernels read of each row beside features: t and base, see `Family.scalar_loss`, and weight."""
        target, base = self.family.kernel_target(self.y), self.family.kernel_base(self.y)
        return (*(np.ascontiguousarray(each, dtype=float) for each in (target, base)), self.weights)

    @property
    def gate_weights(self):
        """Weights of the choices of experts, shape (n,): those of the rows, each of which has its own."""
        return self.weights

    def add_up(self, sums, *arguments):
        """Return ``sums(data, *arguments)``, a sum over all rows."""
        return sums(self, *arguments)

    def posterior(self, model, theta):
        """Return the negative log-likelihood and the responsibilities, shape (K, n)."""
        return model.posterior(self, theta)

    def rows(self, part=None, r=None):
        """Return what a fit to responsibilities r, shape (K, n), sees.

        Parameters
        ----------
        part : int or str, optional
            Number of an expert, or ``gate``; all rows with their whole weights by default.
        r : ndarray of shape (K, n), optional
        """
        if part == "gate":
            return Rows(self.designs["gate"], np.ascontiguousarray(r), self.weights)
        weights = self.weights if part is None else self.weights * r[part]
        return Rows(self.designs["expert"], self.family.statistics(self.y), weights)
