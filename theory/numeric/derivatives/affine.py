"""Whether a model set is linear: evaluated on the natural parameters, never read off a name."""

import numpy as np

_BENT = 1e-6
"""A second difference above this share of eta's size is no rounding."""


def affine(lab):
    """Return whether eta(x; theta) is affine in theta, by second differences along random directions.

    Parameters
    ----------
    lab : Lab
    """
    # far off a bent function may be straight: log(1 + e^u) is
    points = [lab.theta0, *(lab.centre + lab.random_points("affine", 2, 0.3))]
    for point, step in zip(points, lab.random_points("affine steps", 3, 1.0)):
        before, here, after = (_eta(lab, point + side * step) for side in (-1.0, 0.0, 1.0))
        size = np.maximum(1.0, np.abs(before) + np.abs(after) + 2.0 * np.abs(here))
        with np.errstate(invalid="ignore"):
            bent = np.abs(before + after - 2.0 * here) > _BENT * size
        if bent.any():
            return False
    return True


def _eta(lab, theta):
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rows = lab.model.predictor_rows(lab.problem.data, theta)
        return lab.model.natural_parameters(rows)
