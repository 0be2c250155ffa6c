"""The data of a symmetric model: what its methods read, and the passes over rows that its EM map takes."""

from dataclasses import dataclass, field

import numpy as np

from emmd.fits.logistic import fit_logistics
from emmd.kernels.rows.reduce import compiled_shares
from emmd.rows.design import Design
from emmd.rows.workspace import SpareArrays


@dataclass(frozen=True)
class SymmetricData:
    """A weighted sample in working units.

    Attributes
    ----------
    design : Design
    y : ndarray of shape (n,)
        Target in units of sigma.
    spare : SpareArrays
        Of labels.
    """

    design: Design
    y: np.ndarray
    spare: SpareArrays = field(default_factory=SpareArrays, init=False, repr=False, compare=False)

    def compiled_shares(self):
        """Return the threads' shares of the rows; None where compiled code cannot wake the threads."""
        return compiled_shares(self.design.n_rows)

    def add_up(self, sums, *arguments):
        """Return ``sums(data, *arguments)``, a sum over all rows."""
        return sums(self, *arguments)

    def em_pass(self, model, working, start=None):
        """Return the sums of the E-step's pass, and what solves its logistic regressions.

        Returns
        -------
        sums : ndarray
            See `SymmetricModel.em_sums`.
        solve : callable
            ``(starts, sums) -> list of NewtonResult``, see `fit_logistics`.
        """
        sums, labels = model.em_sums(
            self, working, start, self.spare.take((model.regressions, self.design.n_rows))
        )

        def solve(starts, found):
            solved = fit_logistics(self.design, labels, starts, found)
            self.spare.leave(labels)
            return solved

        return sums, solve

    @property
    def X(self):
        """Features, shape (n, d)."""
        return self.design.X

    @property
    def weights(self):
        """Weights with sum 1, shape (n,)."""
        return self.design.weights
