"""The data of a symmetric model: what its methods read, and the passes over rows that its EM map takes."""

from dataclasses import dataclass, field

import numpy as np

from emmd.core.design import Design
from emmd.core.logistic_fit import fit_logistics
from emmd.kernels.reduce import compiled_shares


@dataclass(frozen=True)
class SymmetricData:
    """A weighted sample in working units.

    Attributes
    ----------
    design : Design
    y : ndarray of shape (n,)
        Target in units of sigma.
    """

    design: Design
    y: np.ndarray
    # arrays of labels that no EM step is using: the pages of a new one take a twentieth of a large step
    _spare: list = field(default_factory=list, init=False, repr=False, compare=False)

    def __getstate__(self):
        """Return what is pickled: no spare arrays."""
        return {**self.__dict__, "_spare": []}

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
        sums, labels = model.em_sums(self, working, start, self.take_labels(model.regressions))

        def solve(starts, found):
            solved = fit_logistics(self.design, labels, starts, found)
            self.leave_labels(labels)
            return solved

        return sums, solve

    def take_labels(self, regressions):
        """Return an array of shape (regressions, n), not initialised, for labels of an EM step."""
        try:
            # popped, for another thread may be at the same data
            return self._spare.pop()
        except IndexError:
            return np.empty((regressions, self.design.n_rows))

    def leave_labels(self, labels):
        """Leave an array to later steps."""
        self._spare.append(labels)

    @property
    def X(self):
        """Features, shape (n, d)."""
        return self.design.X

    @property
    def weights(self):
        """Weights with sum 1, shape (n,)."""
        return self.design.weights
