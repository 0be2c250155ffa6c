"""The design: features stored feature-major, weights, and the second moment factored once."""

from functools import cache, cached_property

import numpy as np
from scipy.linalg import cho_solve, eigh
from scipy.linalg.lapack import dpotrs

from emmd.core.newton import cholesky
from emmd.kernels.linear import gram_rows, moment_rows, predict_rows
from emmd.kernels.quadratic import predictor_norm, relative_change
from emmd.kernels.reduce import BLOCK, run_rows, sum_rows

SINGULAR = 1e-13
"""Relative smallest eigenvalue of E[xx'] (columns scaled to unit mean square) that counts as zero."""


class SingularDesignError(ValueError):
    """The columns of X are linearly dependent, so the M-step has no unique solution."""


@cache
def _packed_index(d):
    index = np.zeros((d, d), dtype=np.intp)
    index[np.triu_indices(d)] = np.arange(d * (d + 1) // 2)
    return np.maximum(index, index.T)


def unpack_symmetric(packed, d):
    """Return the symmetric (d, d) matrix whose upper triangle, by rows, is `packed`."""
    return packed[_packed_index(d)]


def _in_blocks(X):
    n, d = X.shape
    blocks = np.zeros((-(-n // BLOCK), d, BLOCK))
    whole = n // BLOCK
    blocks[:whole] = X[: whole * BLOCK].reshape(whole, BLOCK, d).transpose(0, 2, 1)
    if n > whole * BLOCK:
        blocks[whole, :, : n - whole * BLOCK] = X[whole * BLOCK :].T
    return blocks


class Design:
    """Weighted features with the linear algebra that every model needs.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)
        Positive, with sum 1.

    Attributes
    ----------
    XB : ndarray of shape (blocks, d, BLOCK)
        The features, block by block and feature-major inside a block; zero beyond the last row.
    scale : ndarray of shape (d,)
        Root mean square of each column, 1 where that is 0.
    """

    def __init__(self, X, weights):
        self.XB = _in_blocks(X)
        self.weights = weights
        mean_square = np.diag(self.second_moment)
        self._require_squares(X, mean_square)
        self.scale = np.where(mean_square > 0, np.sqrt(mean_square), 1.0)

    @staticmethod
    def _require_squares(X, mean_square):
        largest = np.maximum(X.max(axis=0), -X.min(axis=0))
        bad = np.flatnonzero(~np.isfinite(mean_square) | ((mean_square < 1e-290) & (largest > 0)))
        if bad.size:
            raise ValueError(
                f"X must have columns whose squares are representable (about 1e-145 to 1e150), "
                f"got values up to {largest[bad[0]]:.3g} in column {bad[0]}; rescale it"
            )

    @property
    def n_rows(self):
        """Number of rows n."""
        return len(self.weights)

    @property
    def n_features(self):
        """Number of columns d."""
        return self.XB.shape[1]

    @property
    def X(self):
        """Features, shape (n, d); a copy."""
        return self.XB.transpose(0, 2, 1).reshape(-1, self.n_features)[: self.n_rows]

    @cached_property
    def second_moment(self):
        """E[xx'], shape (d, d)."""
        return self.gram(self.weights)

    def predict(self, theta):
        """Return the linear predictors X theta, shape (n,)."""
        out = np.empty(self.n_rows)
        run_rows(predict_rows, self.n_rows, self.XB, theta, out)
        return out

    def moment(self, values):
        """Return ``sum_i values_i x_i``, shape (d,)."""
        return sum_rows(moment_rows, self.n_rows, self.n_features, self.XB, values)

    def gram(self, values):
        """Return ``sum_i values_i x_i x_i'``, shape (d, d)."""
        d = self.n_features
        return unpack_symmetric(sum_rows(gram_rows, self.n_rows, d * (d + 1) // 2, self.XB, values), d)

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

    def weighted_least_squares(self, y, weights, ridge=None):
        """Minimise ``sum_i weights_i (y_i - x_i' theta)^2 + sum_j ridge_j theta_j^2``.

        Returns
        -------
        theta : ndarray of shape (d,)
        residual : float
            Largest entry of the gradient, relative to the features' scale, the
            weights' sum and the size of y.
        curvature : float
            Smallest squared pivot of the weighted second moment; 0 when it is singular.
        """
        mass = weights.sum()
        scaled = self.gram(weights) / (mass * np.outer(self.scale, self.scale))
        pull = np.zeros(self.n_features) if ridge is None else ridge / mass
        factor, curvature = cholesky(scaled + np.diag(pull / self.scale**2))
        theta = np.zeros(self.n_features)
        for _ in range(3):
            # the second pass is iterative refinement, the third measures
            rest = y - self.predict(theta)
            gradient = (self.moment(weights * rest) / mass - pull * theta) / self.scale
            step = dpotrs(factor, gradient, lower=1)[0] / self.scale
            previous, theta = theta, theta + step
        size = np.sqrt(weights @ y**2 / mass) or 1.0
        return previous, float(np.abs(gradient).max() / size), curvature

    def predictor_norm(self, theta):
        """Return the root mean square of x' theta."""
        return predictor_norm(self.second_moment, theta)

    def relative_change(self, displacement, theta):
        """Return the root mean square of x' displacement relative to 1 plus that of x' theta."""
        return relative_change(self.second_moment, displacement, theta)
