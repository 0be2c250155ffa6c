"""Norms of linear predictors from the second moment of the features."""

import math

from emmd.kernels.compile.jit import deciding
from emmd.kernels.maths.vectors import larger


@deciding
def predictor_norm(second_moment, theta):
    """Return the root mean square ``sqrt(theta' E[xx'] theta)`` of the predictors ``x' theta``."""
    total = 0.0
    for j in range(theta.shape[0]):
        image = 0.0
        for k in range(theta.shape[0]):
            image += second_moment[j, k] * theta[k]
        total += theta[j] * image
    return math.sqrt(total if total > 0.0 or total != total else 0.0)


@deciding
def relative_change(second_moment, displacement, theta):
    """Return the norm of the displacement's predictors relative to 1 plus that of theta's.

    Both hold one coefficient vector or several; of several the largest value, and NaN of any NaN.
    """
    d = second_moment.shape[0]
    largest = 0.0
    for j in range(0, theta.shape[0], d):
        distance = predictor_norm(second_moment, displacement[j : j + d])
        largest = larger(largest, distance / (1.0 + predictor_norm(second_moment, theta[j : j + d])))
    return largest


@deciding
def relative_change_of_parts(expert, gate, units, coefs, numbers, displacement, theta):
    """Return the largest relative change of the predictors of a mixture of experts, NaN of any NaN.

    Parameters
    ----------
    expert, gate : ndarray of shape (d, d)
        E[xx'] of their features.
    units : ndarray of shape (m,)
        Of the m predictors that each expert has.
    coefs, numbers : int
        Where the experts' coefficient vectors end, and the single numbers after them; gate's vectors follow.
    displacement, theta : ndarray of shape (p,)
    """
    d, largest = expert.shape[0], 0.0
    for k in range(coefs // d):
        distance = predictor_norm(expert, displacement[k * d : (k + 1) * d])
        size = predictor_norm(expert, theta[k * d : (k + 1) * d])
        largest = larger(largest, distance / (units[k % units.shape[0]] + size))
    for j in range(coefs, numbers):
        largest = larger(largest, abs(displacement[j]) / (1.0 + abs(theta[j])))
    return larger(largest, relative_change(gate, displacement[numbers:], theta[numbers:]))
