"""A user's closed-form M-step: how far it is from the minimum of Q is measured, not believed."""

from collections.abc import Callable
from typing import Any

import numpy as np

from emmd.core.protocols.steps import MStep
from emmd.fits.newton import RESIDUAL_ACCEPTED

_NOISE = 8.0
_TRIES = 2


def closed_m_step(model: Any, data: Any, formula: Callable, statistics: np.ndarray) -> MStep:
    """Return what a formula makes of mean statistics, with the gradient of Q that it leaves.

    Parameters
    ----------
    model : LatentModel
    data : LatentData
    formula : callable
        ``(statistics (n, D), X, weights (n,)) -> theta``.
    statistics : ndarray of shape (n, D)

    Returns
    -------
    MStep
        It counts as solved where the residual is that of rounding: 1e-13, or a few times what roundings of
        the statistics make of it.

    Raises
    ------
    ValueError
        For a formula that returns another shape.
    """
    theta = _value(model, data, formula, statistics)
    if not (np.isfinite(theta).all() and model.in_domain(theta)):
        return MStep(theta, np.inf, False, 1.0, closed_form=True)
    scale = model.gradient_scale(data, theta)
    scale = np.where(scale > 0.0, scale, 1.0)
    residual = float(np.abs(model.projection_gradient(data, statistics, theta) / scale).max())
    solved = residual <= RESIDUAL_ACCEPTED or residual <= _noise(model, data, formula, statistics, scale)
    return MStep(theta, residual if np.isfinite(residual) else np.inf, solved, 1.0, closed_form=True)


def _value(model, data, formula, statistics):
    with np.errstate(all="ignore"):
        theta = np.asarray(formula(statistics, data.X, data.weights), dtype=float)
    if theta.shape != (model.n_params,):
        raise ValueError(f"m_step must return an array of shape ({model.n_params},), got shape {theta.shape}")
    return theta


def _noise(model, data, formula, statistics, scale):
    """Return a few times what roundings of the statistics change in the relative residuals."""
    rng, found = np.random.default_rng(0), []
    for _ in range(_TRIES):
        signs = rng.choice([-1.0, 1.0], statistics.shape)
        rounded = statistics * (1.0 + np.finfo(float).eps * signs)
        theta = _value(model, data, formula, rounded)
        found.append(model.projection_gradient(data, statistics, theta) / scale)
    return _NOISE * float(np.abs(np.diff(found, axis=0)).max())
