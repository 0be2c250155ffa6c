"""Weighted least squares from sums over rows."""

import numpy as np
from scipy.linalg.lapack import dpotrs

from emmd.core.newton import cholesky
from emmd.core.rows import gram


def _residual_sums(rows, theta):
    """Return the weighted squares of the residuals, the statistics' spread around y, and the moments."""
    y = rows.statistics[:, 0]
    rest = y - rows.design.predict(theta)
    spread = rows.weights @ (rows.statistics[:, 1] - y**2)
    return np.concatenate([[rows.weights @ rest**2, spread], rows.design.moment(rows.weights * rest)])


def weighted_least_squares(rows, ridge=None):
    """Minimise ``sum_i weights_i (y_i - x_i' theta)^2 + sum_j ridge_j theta_j^2``.

    Parameters
    ----------
    rows : RowSums
        With statistics (y, y^2), or means of them.
    ridge : ndarray of shape (d,), optional

    Returns
    -------
    theta : ndarray of shape (d,)
    square : float
        Weighted mean of the expected squares of y - x' theta.
    residual : float
        Largest entry of the gradient, relative to the features' scale, the
        weights' sum and the size of y.
    curvature : float
        Smallest squared pivot of the weighted second moment; 0 when it is singular.
    """
    scale, mass = rows.design.scale, rows.mass
    scaled = rows.add_up(gram) / (mass * np.outer(scale, scale))
    pull = np.zeros(len(scale)) if ridge is None else ridge / mass
    factor, curvature = cholesky(scaled + np.diag(pull / scale**2))
    theta, sizes = np.zeros(len(scale)), []
    for _ in range(3):
        # the second pass is iterative refinement, the third measures
        squares, spread, *moment = rows.add_up(_residual_sums, theta) / mass
        gradient = (moment - pull * theta) / scale
        sizes.append(np.sqrt(squares))
        previous, theta = theta, theta + dpotrs(factor, gradient, lower=1)[0] / scale
    return previous, squares + spread, float(np.abs(gradient).max() / (sizes[0] or 1.0)), curvature
