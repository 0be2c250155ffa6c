"""Cholesky factors of small symmetric matrices, damped where they are not positive definite."""

import numpy as np

from emmd.kernels.compile.jit import deciding


@deciding
def _factor(A, damping, L):
    """Write the lower factor of ``A + damping I`` to L; return its smallest squared pivot, 0 if it fails."""
    smallest = np.inf
    for i in range(A.shape[0]):
        for j in range(i + 1):
            total = A[i, j] + (damping if i == j else 0.0)
            for k in range(j):
                total -= L[i, k] * L[j, k]
            if i > j:
                L[i, j] = total / L[j, j]
            elif total > 0.0 and total < np.inf:
                L[i, i] = np.sqrt(total)
                smallest = total if total < smallest else smallest
            else:
                return 0.0
    return smallest


@deciding
def cholesky(A, L):
    """Write the lower Cholesky factor of A to L, damped if need be.

    Parameters
    ----------
    A : ndarray of shape (d, d)
        Symmetric, with a diagonal of about 1 or less; only the lower triangle is read.
    L : ndarray of shape (d, d)
        Overwritten; above the diagonal it is left as it is.

    Returns
    -------
    float
        Smallest squared pivot; 0 where damping was needed.
    """
    smallest = _factor(A, 0.0, L)
    damping = 1e-14
    failed = smallest == 0.0
    # a matrix with NaN stays unfactored whatever the damping; the caller's residual says so
    while failed and damping < 1e3:
        failed = _factor(A, damping, L) == 0.0
        damping *= 10.0
    return smallest


@deciding
def cholesky_solve(L, x):
    """Replace x by the solution of ``L L' solution = x``."""
    d = L.shape[0]
    for i in range(d):
        total = x[i]
        for k in range(i):
            total -= L[i, k] * x[k]
        x[i] = total / L[i, i]
    for i in range(d - 1, -1, -1):
        total = x[i]
        for k in range(i + 1, d):
            total -= L[k, i] * x[k]
        x[i] = total / L[i, i]
