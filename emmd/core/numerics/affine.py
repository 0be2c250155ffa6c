"""Whether a model set is linear: evaluated on the natural parameters, never read off a name."""

import numpy as np

_BENT = 1e-6
"""A second difference above this share of eta's size is no rounding."""

_POINTS = 3
_HALVINGS = 60


def is_affine(model, data):
    """Return whether eta(x; theta) is affine in theta, by second differences along random directions.

    Parameters
    ----------
    model : Model
    data : object
        Prepared by the model; its rows may lie elsewhere.
    """
    rng = np.random.default_rng(0)
    unit = model.parameter_scale(data) * np.sqrt(model.parameter_width())
    points = [model.random_point(data, rng) for _ in range(_POINTS)]
    steps = [_inside(model, point, rng.standard_normal(model.n_params) / unit) for point in points]
    return not data.add_up(_bent, model, points, steps)


def _inside(model, point, step):
    """Return a step, halved until both of its ends lie in the domain."""
    for _ in range(_HALVINGS):
        if model.in_domain(point + step) and model.in_domain(point - step):
            break
        step = 0.5 * step
    return step


def _bent(data, model, points, steps):
    """Return the weight of the rows that are seen to be bent."""
    bent = np.zeros(len(data.weights), dtype=bool)
    for point, step in zip(points, steps):
        before, here, after = (_eta(model, data, point + side * step) for side in (-1.0, 0.0, 1.0))
        size = np.maximum(1.0, np.abs(before) + np.abs(after) + 2.0 * np.abs(here))
        with np.errstate(invalid="ignore"):
            bent |= (np.abs(before + after - 2.0 * here) > _BENT * size).any(axis=1)
    return float(data.weights[bent].sum())


def _eta(model, data, theta):
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return model.definition(data).eta(theta)
