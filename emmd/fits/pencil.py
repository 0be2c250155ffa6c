"""Eigenvalues of symmetric pencils: never an explicit inverse, never a symmetric solver on a product."""

from contextlib import contextmanager

import numpy as np
from scipy.linalg.lapack import dpotrs, dsygvd

from emmd.fits.newton import damped_cholesky


def pencil(matrix, metric):
    """Solve ``matrix v = lambda metric v`` for symmetric `matrix` and positive definite `metric`.

    Parameters
    ----------
    matrix, metric : ndarray of shape (p, p)

    Returns
    -------
    values : ndarray of shape (p,)
        Ascending.
    vectors : ndarray of shape (p, p)
        Columns, orthonormal in the metric.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `metric` is not numerically positive definite.

    Notes
    -----
    Both matrices are first scaled to unit diagonal of the metric, so that
    blocks of very different size cost no digits.
    """
    scale = np.sqrt(np.maximum(np.diag(metric), 0.0))
    if not (scale > 0).all():
        raise np.linalg.LinAlgError("the metric must be positive definite, got a zero on its diagonal")
    outer = scale[:, None] * scale
    scaled, metric = matrix / outer, metric / outer
    if not (np.isfinite(scaled).all() and np.isfinite(metric).all()):
        raise np.linalg.LinAlgError("the matrices must be finite in the metric's units")
    # what `scipy.linalg.eigh` calls, which takes three times as long for a dozen parameters
    values, vectors, failed = dsygvd(scaled, metric)
    if failed:
        raise np.linalg.LinAlgError(
            f"the metric must be positive definite, got one that is not to rounding (dsygvd: {failed})"
        )
    return values, vectors / scale[:, None]


def reduced(basis, *matrices):
    """Return symmetric matrices in an orthonormal basis of a subspace, (p, q); as they are where q = p.

    Returns
    -------
    list of ndarray of shape (q, q)
    """
    if basis.shape[0] == basis.shape[1]:
        return list(matrices)
    return [basis.T @ matrix @ basis for matrix in matrices]


@contextmanager
def solvable_at(name):
    """Name the argument at which a metric is not positive definite."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise np.linalg.LinAlgError(
            f"{name} must have a complete information that is positive definite, got: {error}"
        ) from error


def solve_positive(matrix, rhs):
    """Return ``matrix^{-1} rhs`` for a symmetric matrix, damped where it is not positive definite."""
    size = np.sqrt(np.abs(np.diag(matrix)))
    # a parameter without curvature keeps its own unit: dividing by next to nothing would overflow
    scale = np.where(size > np.finfo(float).tiny, size, 1.0)
    factor, _ = damped_cholesky(matrix / np.outer(scale, scale))
    return dpotrs(factor, rhs / scale, lower=1)[0] / scale
