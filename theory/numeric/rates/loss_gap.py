"""The small difference of two losses, from slopes along the segment between them: it keeps more digits."""

import numpy as np

from emmd.theory.numeric.bounds.rounding import gradient_rounding

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)
"""On a segment of length h they err by a part h^6, which is gone long before rounding is felt."""


def loss_gap(problem, optimum, point):
    """Return L(point) - L(optimum) and a bound of its rounding error.

    At a distance h of an optimum the difference is of the size h^2, and the losses' own rounding hides it
    where they are large. The slope is of the size h, and it is multiplied by h once more: the integral of
    <grad L, point - optimum> errs by a part eps / h, where the difference errs by eps / h^2.

    Parameters
    ----------
    problem : emmd.Problem
    optimum, point : ndarray of shape (p,)
        A short distance from one another.
    """
    step = point - optimum
    value = 0.0
    for node, weight in zip(_NODES, 0.5 * _WEIGHTS):
        theta = optimum + 0.5 * (1.0 + node) * step
        value += weight * float(problem.gradient(theta) @ step)
    # the bound hardly changes over so short a distance
    return value, float(gradient_rounding(problem, point) @ np.abs(step))
