"""Norms of linear predictors from the second moment of the features."""

import math

from emmd.kernels._jit import kernel
from emmd.kernels.largest import larger


@kernel
def predictor_norm(second_moment, theta):
    """Return the root mean square ``sqrt(theta' E[xx'] theta)`` of the predictors ``x' theta``."""
    total = 0.0
    for j in range(theta.shape[0]):
        image = 0.0
        for k in range(theta.shape[0]):
            image += second_moment[j, k] * theta[k]
        total += theta[j] * image
    return math.sqrt(total if total > 0.0 or total != total else 0.0)


@kernel
def relative_change(second_moment, displacement, theta):
    """Return the norm of the displacement's predictors relative to 1 plus that of theta's.

    Both hold one coefficient vector or several; of several the largest value, and NaN of any NaN.
    """
    d = second_moment.shape[0]
    largest = 0.0
    for j in range(0, theta.shape[0], d):
        moved = predictor_norm(second_moment, displacement[j : j + d])
        largest = larger(largest, moved / (1.0 + predictor_norm(second_moment, theta[j : j + d])))
    return largest
