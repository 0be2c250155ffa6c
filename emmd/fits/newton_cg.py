"""Newton's method without Hessians: conjugate gradients find the step, for thousands of coefficients."""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from emmd.fits.newton import RESIDUAL_ACCEPTED, RESIDUAL_TARGET, NewtonResult, better_start, search

_LOOSEST, _TIGHTEST = 0.1, 1e-8
_MOST_PRODUCTS = 2000


@dataclass
class _Products:
    """Counts Hessian-vector products and keeps the smallest curvature they met.

    Attributes
    ----------
    scale : ndarray of shape (d,)
    curvature : float
        Least ``v' H v / ||scale * v||^2``: an upper bound of the scaled Hessian's smallest eigenvalue.
    """

    scale: np.ndarray
    curvature: float = np.inf
    count: int = field(default=0)

    def operator(self, product):
        def counted(v):
            self.count += 1
            image = product(v)
            size = np.sum((self.scale * v) ** 2)
            if size > 0:
                self.curvature = min(self.curvature, float(v @ image / size))
            return image

        n = len(self.scale)
        return LinearOperator((n, n), matvec=counted, dtype=float)


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
    x, (value, gradient, state) = better_start(evaluate, start, value_at_zero)
    residual, iterations = np.abs(gradient / scale).max(), 1
    products = _Products(scale)
    while residual > RESIDUAL_TARGET and iterations < max_iter:
        products = _Products(scale)
        step = _step(gradient, state, residual, products, product, precondition)
        length, trial, spent = search(evaluate, x, step, value, gradient @ step, max_iter - iterations)
        iterations += spent
        if trial is None:
            break
        trial_residual = np.abs(trial[1] / scale).max()
        if trial_residual >= residual and residual <= RESIDUAL_ACCEPTED:
            break
        x = x + length * step
        (value, gradient, state), residual = trial, trial_residual
    if not products.count:
        products.operator(lambda v: product(state, v)).matvec(1.0 / scale)
    return NewtonResult(x, float(residual), iterations, products.curvature)


def _step(gradient, state, residual, products, product, precondition):
    forcing = max(_TIGHTEST, min(_LOOSEST, float(np.sqrt(residual))))
    step, _ = cg(
        products.operator(lambda v: product(state, v)),
        -gradient,
        rtol=forcing,
        maxiter=_MOST_PRODUCTS,
        M=LinearOperator((len(gradient),) * 2, matvec=precondition(state), dtype=float),
    )
    return step
