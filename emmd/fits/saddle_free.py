"""Newton's method for smooth functions that need not be convex, inside a domain, with flat directions.

Where the Hessian has negative eigenvalues their moduli take their place (Dauphin et al. 2014), so that every
step goes downhill; next to a minimum that is Newton's method. Along directions in which the function is known
to be flat nothing moves: the step is the shortest. As long as a Hessian serves, it is kept.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh

from emmd.fits.newton import RESIDUAL_ACCEPTED, RESIDUAL_TARGET, NewtonResult, descend

_LEAST = 1e-10
"""Of the largest modulus of an eigenvalue: a smaller one counts as this, and the line search shortens the
step."""

_SERVES = 0.01
"""A Hessian is kept while a step leaves at most this share of the residual: evaluating it costs several
gradients."""


def minimise_in_domain(
    evaluate: Callable,
    second: Callable,
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
        ``x -> (value, gradient (d,))``; the value is infinite or NaN outside the domain, and steps are halved
        until they end inside.
    second : callable
        ``x -> (d, d)``, the Hessian.
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
        Its residual is ``max_j |gradient_j| / sizes_j`` before a last free step; sizes and curvature are
        those where the last Hessian was evaluated. The curvature is its smallest eigenvalue in units of
        `unit`, off the flat directions, and 0 where it is negative.
    """
    x = np.array(start, dtype=float)
    found = evaluate(x)
    metric = _Metric(x, second, unit, sizes, flat)
    x, found, residual, iterations = descend(evaluate, x, found, metric, max_iter, blur)
    if residual <= RESIDUAL_TARGET and metric.curvature > 0.0:
        # free: a warm start that is solved already would never move
        x = x + metric.step(found[1])
    return NewtonResult(x, residual, iterations, metric.curvature)


class _Metric:
    """What is known of a function where its Hessian was evaluated last.

    Attributes
    ----------
    curvature : float
        The smallest eigenvalue off the flat directions, or 0 where that is negative or not finite.
    """

    def __init__(self, x, second, unit, sizes, flat):
        self._second, self._unit, self._size_at, self._flat = second, unit, sizes, flat
        self._measure(x)

    def _measure(self, x):
        """Evaluate Hessian and sizes."""
        size, unit = self._size_at(x), self._unit
        self._sizes = np.where(size > 0.0, size, 1.0)
        scaled = self._second(x) / np.outer(unit, unit)
        if not np.isfinite(scaled).all():
            self._inverse, self.curvature = np.full_like(scaled, np.nan), 0.0
            return
        # the shortest step in x itself: accelerations and their predictions measure steps there
        basis = complement(np.empty((len(x), 0)) if self._flat is None else self._flat(x) / unit[:, None])
        values, vectors = eigh(basis.T @ scaled @ basis)
        moduli = np.abs(values)
        moduli = np.maximum(moduli, _LEAST * max(moduli.max(), np.finfo(float).tiny))
        directions = basis @ vectors / unit[:, None]
        self._inverse, self.curvature = (directions / moduli) @ directions.T, float(max(values[0], 0.0))

    def step(self, gradient, residual=0.0):
        """Return the step downhill, with the moduli of the Hessian's eigenvalues."""
        return -self._inverse @ gradient

    def residual(self, gradient):
        """Return the largest gradient entry in units of its terms; infinite where it is not finite."""
        residual = float(np.max(np.abs(gradient) / self._sizes))
        return residual if np.isfinite(residual) else np.inf

    def follow(self, x, found, left, residual):
        """Evaluate the Hessian anew where the old one serves no longer."""
        if left <= max(_SERVES * residual, RESIDUAL_ACCEPTED):
            return left
        self._measure(x)
        return self.residual(found[1])


def complement(directions):
    """Return an orthonormal basis of what is orthogonal to some directions, shape (d, d - g)."""
    if directions.shape[1] == 0:
        return np.eye(len(directions))
    return np.linalg.qr(directions, mode="complete")[0][:, directions.shape[1] :]
