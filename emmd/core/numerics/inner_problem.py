"""The smooth problems inside a step of EM, minimised within the domain of any model."""

from collections.abc import Callable
from typing import Any

import numpy as np

from emmd.core.numerics.rounding import EPS
from emmd.fits.newton import NewtonResult
from emmd.fits.saddle_free import minimise_in_domain

_BLUR = 64.0
"""Roundings of the terms of a value."""


def minimise_for(
    model: Any, data: Any, evaluate: Callable, second: Callable, start: np.ndarray, terms: float
) -> NewtonResult:
    """Minimise a function of theta over a model's domain.

    Parameters
    ----------
    model : Model
    data : object
    evaluate, second : callable
        ``theta -> (value, gradient (p,))`` and ``theta -> Hessian (p, p)``, called inside the domain only.
    start : ndarray of shape (p,)
    terms : float
        Size of what the value is a sum of.
    """

    def inside(theta):
        return evaluate(theta) if model.in_domain(theta) else (np.inf, np.full_like(theta, np.nan))

    with np.errstate(all="ignore"):
        curvature = np.sqrt(np.abs(np.diag(model.expected_information(data, start))))
        unit = np.where(np.isfinite(curvature) & (curvature > 0.0), curvature, 1.0)
        return minimise_in_domain(
            inside,
            second,
            start,
            unit,
            lambda theta: model.gradient_scale(data, theta),
            lambda theta: model.null_directions(data, theta),
            _BLUR * EPS * terms,
        )
