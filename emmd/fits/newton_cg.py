"""Newton's method without Hessians: conjugate gradients find the step, for thousands of coefficients."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from emmd.fits.newton import NewtonResult, better_start, descend

_LOOSEST, _TIGHTEST = 0.1, 1e-8
_MOST_PRODUCTS = 2000


class _Products:
    """Finds steps from products of the Hessian with vectors, and keeps the smallest curvature they met.

    Attributes
    ----------
    scale : ndarray of shape (d,)
    curvature : float
        Least ``v' H v / ||scale * v||^2`` of the last step's directions: an upper bound of the scaled
        Hessian's smallest eigenvalue.
    """

    def __init__(self, scale, state, product, precondition):
        self.scale, self.curvature = scale, np.inf
        self._state, self._product, self._precondition = state, product, precondition

    def residual(self, gradient):
        return float(np.abs(gradient / self.scale).max())

    def step(self, gradient, residual):
        self.curvature = np.inf
        forcing = max(_TIGHTEST, min(_LOOSEST, float(np.sqrt(residual))))
        square = (len(gradient),) * 2
        return cg(
            LinearOperator(square, matvec=self.product, dtype=float),
            -gradient,
            rtol=forcing,
            maxiter=_MOST_PRODUCTS,
            M=LinearOperator(square, matvec=self._precondition(self._state), dtype=float),
        )[0]

    def product(self, v):
        image = self._product(self._state, v)
        size = np.sum((self.scale * v) ** 2)
        if size > 0:
            self.curvature = min(self.curvature, float(v @ image / size))
        return image

    def follow(self, x, found, left, residual):
        self._state = found[2]
        return left


def newton_cg(evaluate, product, precondition, start, scale, value_at_zero=np.inf, max_iter=100):
    """Minimise a smooth convex function from a warm start, as `newton_by_values` does.

    Parameters
    ----------
    evaluate : callable
        ``x -> (value, gradient (d,), state)``.
    product : callable
        ``(state, v) -> H v``, H the Hessian at the point that gave `state`.
    precondition : callable
        ``state -> callable``, a cheap positive definite approximation of ``v -> H^{-1} v``.
    start, scale : ndarray of shape (d,)
    value_at_zero : float
    max_iter : int
        See `newton_by_values`.

    Returns
    -------
    NewtonResult
        ``curvature`` is the least one met along the conjugate directions of the last step.

    Notes
    -----
    Steps are inexact as Dembo, Eisenstat and Steihaug (1982) allow, with forcing term
    min(0.1, sqrt(residual)): the convergence is superlinear, and the same residual of 1e-13 is demanded.
    """
    x, found = better_start(evaluate, start, value_at_zero)
    metric = _Products(scale, found[2], product, precondition)
    x, _, residual, iterations = descend(evaluate, x, found, metric, max_iter)
    if not np.isfinite(metric.curvature):
        metric.product(1.0 / scale)
    return NewtonResult(x, residual, iterations, metric.curvature)
