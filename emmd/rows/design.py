"""The design: features stored block by block, weights, and their sums."""

from functools import cache

import numpy as np

from emmd.kernels.linear.predictors import gram_rows, moment_rows, predict_rows
from emmd.kernels.rows.blocks import BLOCK, large_block_rows
from emmd.kernels.rows.reduce import run_rows, sum_rows
from emmd.kernels.rows.workspace import Workspace
from emmd.rows.memory_map import chunks_of_rows
from emmd.rows.second_moment import SecondMoment


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
    blocks = large_block_rows(-(-n // BLOCK) * d).reshape(-1, d, BLOCK)
    blocks[-1] = 0.0
    for start, chunk in chunks_of_rows(X):
        whole = len(chunk) // BLOCK
        first = start // BLOCK
        blocks[first : first + whole] = chunk[: whole * BLOCK].reshape(whole, BLOCK, d).transpose(0, 2, 1)
        if len(chunk) > whole * BLOCK:
            blocks[first + whole, :, : len(chunk) - whole * BLOCK] = chunk[whole * BLOCK :].T
    return blocks


class Design(SecondMoment):
    """Weighted features with the linear algebra that every model needs.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)
        Positive, with sum 1.
    offset : ndarray of shape (n,), optional
        What is added to the linear predictors, such as the logs of exposures.

    Attributes
    ----------
    XB : ndarray of shape (blocks, d, BLOCK)
        The features, block by block and feature-major inside a block; zero beyond the last row.
    scale : ndarray of shape (d,)
        Root mean square of each column, 1 where that is 0.
    workspace : Workspace
        Arrays that passes over the rows write to and nobody reads afterwards.
    """

    def __init__(self, X, weights, offset=None):
        self.XB, self.offset = _in_blocks(X), offset
        self.weights, self.workspace = weights, Workspace()
        d = self.XB.shape[1]
        packed = sum_rows(gram_rows, len(weights), d * (d + 1) // 2, self.XB, weights)
        largest = np.maximum(self.XB.max(axis=(0, 2)), -self.XB.min(axis=(0, 2)))
        second_moment = unpack_symmetric(packed, d)
        self._require_squares(np.diag(second_moment), largest)
        super().__init__(second_moment, largest, len(weights))

    @staticmethod
    def _require_squares(mean_square, largest):
        bad = np.flatnonzero(~np.isfinite(mean_square) | ((mean_square < 1e-290) & (largest > 0)))
        if bad.size:
            raise ValueError(
                f"X must have columns whose squares are representable (about 1e-145 to 1e150), "
                f"got values up to {largest[bad[0]]:.3g} in column {bad[0]}; rescale it"
            )

    @property
    def X(self):
        """Features, shape (n, d); a copy."""
        return self.XB.transpose(0, 2, 1).reshape(-1, self.n_features)[: self.n_rows]

    def predict(self, theta, out=None):
        """Return the linear predictors X theta and the offset, shape (n,), written to `out` if given."""
        out = np.empty(self.n_rows) if out is None else out
        run_rows(predict_rows, self.n_rows, self.XB, theta, out)
        if self.offset is not None:
            out += self.offset
        return out

    def moment(self, values):
        """Return ``sum_i values_i x_i``, shape (d,)."""
        return sum_rows(moment_rows, self.n_rows, self.n_features, self.XB, values)

    def gram(self, values):
        """Return ``sum_i values_i x_i x_i'``, shape (d, d)."""
        d = self.n_features
        return unpack_symmetric(sum_rows(gram_rows, self.n_rows, d * (d + 1) // 2, self.XB, values), d)
