"""Newton's method for smooth functions that need not be convex, inside a domain, with flat directions.

Where the Hessian has negative eigenvalues their moduli take their place (Dauphin et al. 2014), so that every
step goes downhill; next to a minimum that is Newton's method. Along directions in which the function is known
to be flat nothing moves: the step is the shortest.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh

from emmd.fits.newton import RESIDUAL_ACCEPTED, RESIDUAL_TARGET, NewtonResult, search

_LEAST = 1e-10
"""Of the largest modulus of an eigenvalue: a smaller one counts as this, and the line search shortens the
step."""


def minimise_in_domain(
    evaluate: Callable,
    start: np.ndarray,
    unit: np.ndarray,
    sizes: Callable,
    flat: Callable | None = None,
    blur: float = 0.0,
    max_iter: int = 200,
) -> NewtonResult:
    """Minimise a smooth function from a warm start.

    Parameters
    ----------
    evaluate : callable
        ``x -> (value, gradient (d,), Hessian (d, d))``; the value is infinite or NaN outside the domain, and
        steps are halved until they end inside.
    start : ndarray of shape (d,)
    unit : ndarray of shape (d,)
        Positive; a curvature counts in units of its products.
    sizes : callable
        ``x -> (d,)``, the sizes of the terms that are added up to each gradient entry.
    flat : callable, optional
        ``x -> (d, g)``, directions along which the function does not change; none by default.
    blur : float
        What rounding leaves of a value.
    max_iter : int
        Evaluations, at most.

    Returns
    -------
    NewtonResult
        Its residual is ``max_j |gradient_j| / sizes_j`` at the last point that was evaluated; its curvature
        is the smallest eigenvalue of the Hessian in units of `unit`, off the flat directions, and 0 where
        it is negative.
    """
    x = np.array(start, dtype=float)
    value, gradient, hessian = evaluate(x)
    residual, iterations = _residual(gradient, sizes(x)), 1
    step, curvature = _newton_step(gradient, hessian, unit, flat, x)
    while residual > RESIDUAL_TARGET and iterations < max_iter:
        left = max_iter - iterations
        length, trial, spent = search(evaluate, x, step, value, gradient @ step, left, blur)
        iterations += spent
        if trial is None:
            break
        reached = x + length * step
        trial_residual = _residual(trial[1], sizes(reached))
        if trial_residual >= residual and residual <= RESIDUAL_ACCEPTED:
            break
        x, (value, gradient, hessian), residual = reached, trial, trial_residual
        step, curvature = _newton_step(gradient, hessian, unit, flat, x)
    if residual <= RESIDUAL_TARGET and curvature > 0.0:
        # free: a warm start that is solved already would never move
        x = x + step
    return NewtonResult(x, residual, iterations, curvature)


def _residual(gradient, sizes):
    residual = float(np.max(np.abs(gradient) / np.where(sizes > 0.0, sizes, 1.0)))
    return residual if np.isfinite(residual) else np.inf


def _newton_step(gradient, hessian, unit, flat, x):
    """Return the step, and the smallest eigenvalue off the flat directions (0 where that is negative)."""
    scaled = hessian / np.outer(unit, unit)
    if not np.isfinite(scaled).all():
        return np.full_like(x, np.nan), 0.0
    basis = complement(np.empty((len(x), 0)) if flat is None else unit[:, None] * flat(x))
    values, vectors = eigh(basis.T @ scaled @ basis)
    sizes = np.abs(values)
    weights = 1.0 / np.maximum(sizes, _LEAST * max(sizes.max(), np.finfo(float).tiny))
    directions = basis @ vectors
    step = -directions @ (weights * (directions.T @ (gradient / unit))) / unit
    return step, float(max(values[0], 0.0))


def complement(directions):
    """Return an orthonormal basis of what is orthogonal to some directions, shape (d, d - g)."""
    if directions.shape[1] == 0:
        return np.eye(len(directions))
    return np.linalg.qr(directions, mode="complete")[0][:, directions.shape[1] :]
