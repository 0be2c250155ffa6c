"""How large the terms are that a model adds up: known ones, and those inside its functions, as measured.

What goes on inside a user's functions shows in how they answer to roundings of what they are given.
"""

from typing import Any

import numpy as np

from emmd.core.numerics.rounding import EPS
from emmd.fits.newton import RESIDUAL_ACCEPTED

_ROUNDINGS = 2

SAFETY = 4.0
"""Times the largest change that was seen: two draws hardly show the worst rounding."""

UNITS = 8.0
"""Roundings of a term that is known."""


def loss_sizes(model: Any, data: Any, theta: np.ndarray) -> np.ndarray:
    """Return the moduli of the terms that are added up to each row's loss, shape (n,)."""
    eta = _eta(model, data, theta)
    partition, numerator = model.log_partition(eta), model.log_numerator(data, eta)
    sizes = np.abs(model.mean_statistics(eta)) + np.abs(model.posterior_statistics(data, eta))
    known = 1.0 + np.abs(partition) + np.abs(numerator) + (sizes * np.abs(eta)).sum(axis=1)
    seen = [
        np.abs((model.log_partition(each) - partition) - (model.log_numerator(data, each) - numerator))
        for each in rounded_natural(model, data, theta)
    ]
    return UNITS * known + SAFETY * np.max(seen, axis=0) / EPS


def gradient_sizes(model: Any, data: Any, theta: np.ndarray) -> np.ndarray:
    """Return the sizes of the terms of each entry of E[J' (grad A - S)], shape (p,).

    They are root mean squares of |J|' r, with r those of S under the model. Where rounding errors of eta
    exceed their ten-billionth part, so do the sizes.
    """
    rows = model.predictor_rows(data, theta)
    eta, jacobian = model.natural_parameters(data, rows), model.natural_jacobian(data, rows)
    spread = np.maximum(np.diagonal(model.covariance(eta), axis1=1, axis2=2), 0.0)
    mean = model.mean_statistics(eta)
    slopes = np.einsum("nd,ndb->nb", np.sqrt(mean**2 + spread), np.abs(jacobian))
    squares = data.weights[:, None, None] * slopes[:, :, None] * slopes[:, None, :]
    terms = np.sqrt(np.abs(np.diag(model.pull_back_second(data, squares))))
    # no residual is below what roundings of eta make of E[J' grad A]
    changes = [model.mean_statistics(each) - mean for each in rounded_natural(model, data, theta)]
    pulled = [np.einsum("nd,ndb->nb", each, jacobian) for each in changes]
    noise = [np.abs(model.pull_back(data, data.weights[:, None] * each)) for each in pulled]
    return terms + relative_noise(noise)


def relative_noise(noise: list[np.ndarray]) -> np.ndarray:
    """Return how large terms of a gradient count at least, given what roundings change in it."""
    return SAFETY * np.max(noise, axis=0) / RESIDUAL_ACCEPTED


def rounded(values: np.ndarray, seed: int) -> np.ndarray:
    """Return values as they may be rounded, twice, shape (2, k)."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (_ROUNDINGS, len(values)))
    return values * (1.0 + EPS * signs)


def rounded_natural(model: Any, data: Any, theta: np.ndarray) -> list[np.ndarray]:
    """Return eta as it may come out where theta and eta are rounded, twice, each of shape (n, D)."""
    found = [_eta(model, data, each) for each in rounded(theta, 0)]
    return [eta * factor for eta, factor in zip(found, rounded(np.ones(found[0].shape[1]), 1))]


def _eta(model, data, theta):
    return model.natural_parameters(data, model.predictor_rows(data, theta))
