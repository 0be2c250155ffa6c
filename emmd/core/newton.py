"""Newton's method with a safeguard, for the smooth convex problems inside one iteration."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from emmd.kernels import newton as on_demand

RESIDUAL_TARGET = 1e-14
"""The scaled gradient at which Newton's method stops."""

RESIDUAL_ACCEPTED = 1e-13
"""The scaled gradient above which the result counts as not solved."""

_NOISE = 64 * np.finfo(float).eps


@dataclass(frozen=True)
class NewtonResult:
    """Where Newton's method ended.

    Attributes
    ----------
    x : ndarray of shape (d,)
    residual : float
        ``max_j |gradient_j| / scale_j``; dimensionless when gradients scale like features.
    iterations : int
        Evaluations of value, gradient and Hessian.
    curvature : float
        Smallest squared pivot of the scaled Hessian; about 0 when the minimiser runs to infinity.
    """

    x: np.ndarray
    residual: float
    iterations: int
    curvature: float

    @property
    def solved(self):
        """Whether the gradient is as small as an exact M-step demands."""
        return self.residual <= RESIDUAL_ACCEPTED


def cholesky(matrix):
    """Return a lower Cholesky factor, damped if need be, and its smallest squared pivot (0 when damped)."""
    factor, failed = dpotrf(matrix, lower=1)
    if not failed:
        return factor, float(factor.diagonal().min() ** 2)
    damping = 1e-14
    # a matrix with NaN stays unfactored whatever the damping; the caller's residual says so
    while failed and damping < 1e3:
        factor, failed = dpotrf(matrix + damping * np.eye(len(matrix)), lower=1)
        damping *= 10.0
    return factor, 0.0


def _search(evaluate, x, step, value, slope, most):
    """Halve the step until the value decreases up to rounding; return its length, the trial and the cost."""
    length = 1.0
    for spent in range(1, most + 1):
        trial = evaluate(x + length * step)
        if trial[0] <= value + 1e-4 * length * slope + _NOISE * (1.0 + abs(value)):
            return length, trial, spent
        length *= 0.5
    return length, None, most


def newton(evaluate, start, scale, value_at_zero=np.inf, max_iter=100):
    """Minimise a smooth convex function from a warm start.

    Parameters
    ----------
    evaluate : callable
        ``x -> (value, gradient (d,), Hessian (d, d))``.
    start : ndarray of shape (d,)
    scale : ndarray of shape (d,)
        Typical size of each gradient entry (the root mean square of each feature).
    value_at_zero : float
        The function's value at 0, if known: a start above it, where a saturated
        Hessian would send the first step anywhere, is replaced by 0.
    max_iter : int

    Returns
    -------
    NewtonResult
        Steps are halved until the value decreases (up to rounding); a Hessian
        that is not numerically positive definite is damped. A point that
        increases the value is never accepted.
    """
    x = np.array(start, dtype=float)
    value, gradient, hessian = evaluate(x)
    if not value <= value_at_zero:
        x = np.zeros_like(x)
        value, gradient, hessian = evaluate(x)
    residual = np.abs(gradient / scale).max()
    factor, curvature = cholesky(hessian / np.outer(scale, scale))
    iterations = 1
    while residual > RESIDUAL_TARGET and iterations < max_iter:
        step = -dpotrs(factor, gradient / scale, lower=1)[0] / scale
        length, trial, spent = _search(evaluate, x, step, value, gradient @ step, max_iter - iterations)
        iterations += spent
        if trial is None:
            break
        trial_residual = np.abs(trial[1] / scale).max()
        if trial_residual >= residual and residual <= RESIDUAL_ACCEPTED:
            break
        x = x + length * step
        (value, gradient, hessian), residual = trial, trial_residual
        factor, curvature = cholesky(hessian / np.outer(scale, scale))
    return NewtonResult(x, float(residual), iterations, curvature)


def newton_on_demand(evaluate, start, value, sums, scale, value_at_zero, cost):
    """Minimise with Hessians only where they pay, see `emmd.kernels.newton`; sums come from anywhere.

    Parameters
    ----------
    evaluate : callable
        ``(x, with_hessian) -> [gradient (d), packed Hessian]`` or the gradient alone.
    start : ndarray of shape (d,)
    value, value_at_zero : float
        The function at the start and at 0.
    sums : ndarray of shape (d + d (d + 1) / 2,)
        Gradient and packed Hessian at the start.
    scale : ndarray of shape (d,)
    cost : float
        Of a Hessian, in units of a gradient.

    Returns
    -------
    NewtonResult
    """
    state, vectors, factor = on_demand.workspace(start, cost)
    wanted = on_demand.begin(state, vectors, factor, value, value_at_zero, sums, scale)
    while wanted != on_demand.DONE:
        with_hessian = wanted == on_demand.HESSIAN
        sums = evaluate(vectors[on_demand.TRIAL], with_hessian)
        wanted = on_demand.advance(state, vectors, factor, sums, scale, with_hessian)
    return newton_result(state, vectors)


def newton_result(state, vectors):
    """Return where the method of `emmd.kernels.newton` ended."""
    return NewtonResult(
        vectors[on_demand.POINT].copy(),
        float(state[on_demand.RESIDUAL]),
        int(state[on_demand.ITERATIONS]),
        float(state[on_demand.CURVATURE]),
    )
