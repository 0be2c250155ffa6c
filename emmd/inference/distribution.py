"""The distribution function of a mixture, its inverse, and residuals made of it."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from emmd.estimators.evaluate import expert_predictors, log_gate

_HALVINGS = 300
"""Of a bracket: it is down to neighbouring numbers long before, unless the quantile is 0."""


def cdf(model: Any, theta: np.ndarray, Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return P(Y <= y | x), shape (n,), at standardised features and targets."""
    return _mixed(model, np.exp(log_gate(model, theta, Z)), expert_predictors(model, theta, Z), y)


def _mixed(model, shares, parts, y):
    levels = np.array([model.family.cdf(y, part) for part in parts])
    # an expert without a share has no say, whatever its distribution has become
    return np.multiply(shares, levels, where=shares > 0, out=np.zeros_like(shares)).sum(axis=0)


def quantile(model: Any, theta: np.ndarray, Z: np.ndarray, level: float) -> np.ndarray:
    """Return the least y with P(Y <= y | x) >= level, shape (n,), by bisection between the experts' own."""
    shares, parts = np.exp(log_gate(model, theta, Z)), expert_predictors(model, theta, Z)
    ends = np.array([model.family.quantile(level, part) for part in parts])
    low = np.where(shares > 0, ends, np.inf).min(axis=0)
    high = np.where(shares > 0, ends, -np.inf).max(axis=0)
    if model.family.discrete:
        # the experts' own are within a step
        return _bisected(model, shares, parts, level, low - 2.0, high + 1.0, np.floor)
    room = 8.0 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    return _bisected(model, shares, parts, level, low - room, high + room, lambda middle: middle)


def _bisected(model, shares, parts, level, low, high, rounded):
    """Return the upper ends of brackets (low, high] that have been halved until nothing lies between."""
    for _ in range(_HALVINGS):
        middle = rounded(low + 0.5 * (high - low))
        if not ((middle > low) & (middle < high)).any():
            break
        above = _mixed(model, shares, parts, middle) >= level
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high


def quantile_residuals(
    model: Any, theta: np.ndarray, Z: np.ndarray, y: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return normal quantiles of P(Y <= y | x), drawn between P(Y < y) and P(Y <= y) for counts, shape (n,).

    They are standard normal where the model is right (Dunn and Smyth 1996).
    """
    level = cdf(model, theta, Z, y)
    if model.family.discrete:
        below = cdf(model, theta, Z, y - 1.0)
        level = below + rng.random(len(y)) * (level - below)
    return ndtri(np.clip(level, np.finfo(float).tiny, 1.0 - 0.5 * np.finfo(float).eps))
