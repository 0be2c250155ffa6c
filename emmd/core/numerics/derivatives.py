"""Derivatives of functions of rows: exact to rounding in the first order, to about 1e-11 in the second."""

from collections.abc import Callable

import numpy as np

COMPLEX_STEP = 1e-100
"""Smaller than any number beside which it stands: nothing is subtracted, so nothing is lost."""

_NEAREST = 1e-150
"""The smallest unit of a complex step: the product with the step stays a normal number."""

_TERMS = 64.0
"""Numbers below the normal ones that may be added up to one imaginary part."""

_STEP = 1e-3
"""Of a difference of first derivatives, in units of what changes the function by about 1; its sixth power is
the error left."""


def row_gradient(function: Callable, points: np.ndarray) -> np.ndarray:
    """Return the derivatives of a function of rows by complex steps.

    Parameters
    ----------
    function : callable
        Of complex rows, shape (n, B); returns (n,) or (n, D). Row i of the result depends on row i alone.
    points : ndarray of shape (n, B)

    Returns
    -------
    ndarray of shape (n, B) or (n, D, B)
        ``Im f(row + ih) / h``, h in units of each entry, of 1 where that is larger.
    """
    steps, columns = _steps(points), []
    for j in range(points.shape[1]):
        shifted = points.astype(complex)
        shifted[:, j] += 1j * steps[:, j]
        # (n,) or (n, D): rows come last
        columns.append((function(shifted).imag.T / steps[:, j]).T)
    return np.stack(columns, axis=-1)


def _steps(points):
    # next to the end of a domain a function bends over its distance: a mean of 1e140 is one over a rate
    return COMPLEX_STEP * np.where(points == 0.0, 1.0, np.clip(np.abs(points), _NEAREST, 1.0))


def underflow(points: np.ndarray) -> np.ndarray:
    """Bound what `row_gradient` loses where the imaginary parts are no normal numbers, shape (n, B)."""
    return _TERMS * np.finfo(float).smallest_subnormal / _steps(points)


def row_hessian(gradient: Callable, points: np.ndarray) -> np.ndarray:
    """Return the second derivatives of a function of rows, from differences of its first ones.

    Parameters
    ----------
    gradient : callable
        Of real rows, shape (n, B); returns (n, B).
    points : ndarray of shape (n, B)

    Returns
    -------
    ndarray of shape (n, B, B)
        Extrapolated from three central differences, and symmetric.
    """
    # logs of masses are given: a slope g bends over a length of 1 / g
    steps = _STEP / np.maximum(np.abs(gradient(points)), 1.0 / (1.0 + np.abs(points)))
    columns = []
    for j, h in enumerate(steps.T):
        fine, middle, coarse = (_difference(gradient, points, j, factor * h) for factor in (1.0, 2.0, 4.0))
        columns.append((64.0 * fine - 20.0 * middle + coarse) / 45.0)
    hessian = np.stack(columns, axis=-1)
    return 0.5 * (hessian + hessian.transpose(0, 2, 1))


def _difference(gradient, points, j, h):
    up, down = points.copy(), points.copy()
    up[:, j] += h
    down[:, j] -= h
    return (gradient(up) - gradient(down)) / (up[:, j] - down[:, j])[:, None]


def gradient_at(function: Callable, theta: np.ndarray) -> np.ndarray:
    """Return the gradient of a function of one complex parameter vector, shape (p,), by complex steps."""
    return (
        np.array([np.imag(function(theta + 1j * COMPLEX_STEP * e)) for e in np.eye(len(theta))])
        / COMPLEX_STEP
    )
