"""Poisson regression in which every row has an exposure of its own."""

import numpy as np

from emmd.fits.glm import fit_coefficients


def exposed_poisson_fit(rows, family, start, ridge=None):
    """Minimise ``sum_i weights_i (e_i exp(x_i' beta) - y_i x_i' beta)`` and the ridge.

    Parameters
    ----------
    rows : RowSums
        With the count y and the exposure e as the first two statistics.
    family : Family
    start : ndarray of shape (1, d)
    ridge : ndarray of shape (d,), optional

    Returns
    -------
    NewtonResult
    """
    return fit_coefficients(rows, _sums, family, start, ridge, rows.mean[1], family.score_size(rows))


def _sums(rows, family, coefficients):
    """Return the weighted loss, its gradient and its Hessian, flat."""
    design, weights, u = rows.design, rows.weights, rows.design.predict(coefficients[0])
    count, exposure = rows.statistics[:, 0], rows.statistics[:, 1]
    # an overflowing trial is refused by the safeguard, not by a warning
    with np.errstate(over="ignore", invalid="ignore"):
        mean = exposure * np.exp(u)
        value = weights @ (mean - count * u)
    slope, curvature = design.moment(weights * (mean - count)), design.gram(weights * mean)
    return np.concatenate([[value], slope, curvature.ravel()])
