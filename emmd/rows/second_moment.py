"""The second moment of the features: what solves, norms and checks of columns need of a design."""

from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, eigh

from emmd.kernels.linear.quadratic import predictor_norm

SINGULAR = 1e-13
"""Relative smallest eigenvalue of E[xx'] (columns scaled to unit mean square) that counts as zero."""


class SingularDesignError(ValueError):
    """The columns of X are linearly dependent, so the M-step has no unique solution."""


class SecondMoment:
    """E[xx'] with its linear algebra; it is the same whether the rows are here or elsewhere.

    Parameters
    ----------
    second_moment : ndarray of shape (d, d)
    largest : ndarray of shape (d,)
        Largest absolute value of each column.
    n_rows : int
        Number of rows they were taken from.

    Attributes
    ----------
    scale : ndarray of shape (d,)
        Root mean square of each column, 1 where that is 0.
    crest : float
        The largest crest factor of a column: the largest absolute value in root mean squares.
    """

    offset: np.ndarray | None = None

    def __init__(self, second_moment, largest, n_rows):
        self.second_moment, self.largest, self.n_rows = second_moment, largest, n_rows
        mean_square = np.diag(second_moment)
        self.scale = np.where(mean_square > 0, np.sqrt(mean_square), 1.0)
        self.crest = float(np.max(largest / self.scale, initial=0.0))

    @property
    def n_features(self):
        """Number of columns d."""
        return len(self.scale)

    @cached_property
    def _spectrum(self):
        return eigh(self.second_moment / np.outer(self.scale, self.scale))

    @cached_property
    def dependent_columns(self):
        """Indices of columns that take part in a linear dependence; empty for a regular design."""
        return self._null_columns(*self._spectrum)

    def dependent_under(self, ridge):
        """Return those that a ridge of shape (d,), or None, leaves undetermined."""
        if ridge is None or not self.dependent_columns:
            return self.dependent_columns
        outer = np.outer(self.scale, self.scale)
        return self._null_columns(*eigh(self.second_moment / outer + np.diag(ridge / self.scale**2)))

    @staticmethod
    def _null_columns(values, vectors):
        null = vectors[:, values <= SINGULAR * max(values[-1], 1.0)]
        return [int(j) for j in np.flatnonzero((np.abs(null) > 1e-4).any(axis=1))]

    def require_independent_columns(self):
        """Raise a SingularDesignError when the columns are linearly dependent."""
        if self.dependent_columns:
            raise SingularDesignError(
                f"X must have linearly independent columns, got a dependence among columns "
                f"{self.dependent_columns} of {self.n_features} ({self.n_rows} rows); drop one of them"
            )

    @cached_property
    def root(self):
        """Lower Cholesky factor of E[xx'], columns scaled to unit mean square, shape (d, d)."""
        self.require_independent_columns()
        return np.linalg.cholesky(self.second_moment / np.outer(self.scale, self.scale))

    def solve(self, rhs):
        """Return ``E[xx']^{-1} rhs``.

        Raises
        ------
        SingularDesignError
            When the columns are linearly dependent.
        """
        # a runaway gradient may be infinite here: the loop judges it, not the solver
        return cho_solve((self.root, True), rhs / self.scale, check_finite=False) / self.scale

    def predictor_norm(self, theta):
        """Return the root mean square of x' theta."""
        return predictor_norm(self.second_moment, theta)
