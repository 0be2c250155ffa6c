"""Newton's method with a safeguard, for the smooth convex problems inside one iteration."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

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


def _factor(hessian, scale):
    """Return a Cholesky factor of the scaled Hessian, damped if need be, and its smallest squared pivot."""
    scaled = hessian / np.outer(scale, scale)
    factor, failed = dpotrf(scaled, lower=1)
    if not failed:
        return factor, float(factor.diagonal().min() ** 2)
    damping = 1e-14
    # a Hessian with NaN stays unfactored whatever the damping; its residual says so
    while failed and damping < 1e3:
        factor, failed = dpotrf(scaled + damping * np.eye(len(scale)), lower=1)
        damping *= 10.0
    return factor, 0.0


def newton(evaluate, start, scale, max_iter=100):
    """Minimise a smooth convex function from a warm start.

    Parameters
    ----------
    evaluate : callable
        ``x -> (value, gradient (d,), Hessian (d, d))``.
    start : ndarray of shape (d,)
    scale : ndarray of shape (d,)
        Typical size of each gradient entry (the root mean square of each feature).
    max_iter : int

    Returns
    -------
    NewtonResult
        Steps are halved until the value decreases (up to rounding); a Hessian
        that is not numerically positive definite is damped.
    """
    x = np.array(start, dtype=float)
    value, gradient, hessian = evaluate(x)
    residual = np.abs(gradient / scale).max()
    factor, curvature = _factor(hessian, scale)
    iterations = 1
    while residual > RESIDUAL_TARGET and iterations < max_iter:
        step = -dpotrs(factor, gradient / scale, lower=1)[0] / scale
        slope = gradient @ step
        length = 1.0
        while True:
            trial = evaluate(x + length * step)
            iterations += 1
            trial_residual = np.abs(trial[1] / scale).max()
            enough = value + 1e-4 * length * slope + _NOISE * (1.0 + abs(value))
            if (np.isfinite(trial[0]) and trial[0] <= enough) or iterations >= max_iter:
                break
            length *= 0.5
        if trial_residual >= residual and residual <= RESIDUAL_ACCEPTED:
            break
        if not np.isfinite(trial[0]):
            break
        x = x + length * step
        (value, gradient, hessian), residual = trial, trial_residual
        factor, curvature = _factor(hessian, scale)
    return NewtonResult(x, float(residual), iterations, curvature)
