"""What the curvature at the optimum says: EM's local rate and the covariance of the estimates."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from emmd.fits.pencil import pencil

_FLAT = 1e-10


def em_rate(complete, missing):
    """Return EM's local contraction factor, or None where the complete information is singular.

    Parameters
    ----------
    complete, missing : ndarray of shape (p, p)
        I_com and I_mis at a stationary point.

    Returns
    -------
    float or None
        The largest eigenvalue of the pencil (I_mis, I_com).
    """
    try:
        return float(pencil(missing, complete)[0][-1])
    except np.linalg.LinAlgError:
        return None


def covariance(hessian, total):
    """Return the inverse of the observed information, or None unless it is positive definite.

    Parameters
    ----------
    hessian : ndarray of shape (p, p)
        Of the average loss.
    total : float
        Sum of the sample weights: the number of observations.
    """
    size = np.sqrt(np.abs(np.diag(hessian)))
    if not (np.isfinite(hessian).all() and (size > 0).all()):
        return None
    scaled = hessian / np.outer(size, size)
    if np.linalg.eigvalsh(scaled)[0] <= _FLAT:
        return None
    inverse = cho_solve(cho_factor(scaled, lower=True), np.eye(len(scaled)))
    return inverse / np.outer(size, size) / total
