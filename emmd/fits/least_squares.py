"""Weighted least squares from sums over rows."""

import numpy as np
from scipy.linalg.lapack import dpotrs

from emmd.fits.newton import damped_cholesky
from emmd.rows.weighted_rows import gram


def _normal_sums(rows):
    """Return the weighted squares of y, the statistics' spread around it, moments and the Gram matrix."""
    y, square = rows.statistics.T
    weighted = rows.weights * y
    spread = rows.weights @ (square - y * y)
    return np.concatenate([[weighted @ y, spread], rows.design.moment(weighted), gram(rows).ravel()])


def _residual_sums(rows, theta):
    """Return the weighted squares and moments of the residuals."""
    rest = rows.statistics[:, 0] - rows.design.predict(theta)
    weighted = rows.weights * rest
    return np.concatenate([[weighted @ rest], rows.design.moment(weighted)])


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
    scale, mass, d = rows.design.scale, rows.mass, rows.design.n_features
    means = rows.add_up(_normal_sums) / mass
    size, spread, moment, second = means[0], means[1], means[2 : 2 + d], means[2 + d :]
    pull = np.zeros(d) if ridge is None else ridge / mass
    scaled = second.reshape(d, d) / np.outer(scale, scale) + np.diag(pull / scale**2)
    factor, curvature = damped_cholesky(scaled)
    theta = dpotrs(factor, moment / scale, lower=1)[0] / scale
    # the second solve is iterative refinement, the last sums measure
    _, gradient = _residuals(rows, theta, pull)
    theta = theta + dpotrs(factor, gradient, lower=1)[0] / scale
    square, gradient = _residuals(rows, theta, pull)
    residual = float(np.abs(gradient).max() / (np.sqrt(size) or 1.0))
    return theta, square + spread, residual, curvature


def _residuals(rows, theta, pull):
    """Return the mean square of the residuals and the scaled gradient."""
    means = rows.add_up(_residual_sums, theta) / rows.mass
    return means[0], (means[1:] - pull * theta) / rows.design.scale
