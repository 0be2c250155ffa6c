"""Newton's method with a safeguard, for the smooth convex problems inside one iteration."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from emmd.kernels.solvers import newton_steps

RESIDUAL_TARGET = 1e-14
"""The scaled gradient at which Newton's method stops."""

RESIDUAL_ACCEPTED = 1e-13
"""The scaled gradient above which the result counts as not solved."""

_REGULAR = 1e-8
_SLOPE_LEFT = 0.5
_BLURRED = float(np.sqrt(np.finfo(float).eps))
"""Relative to 1 + |value|: a decrease below it may drown in the rounding of the terms of a value."""


@dataclass(frozen=True)
class NewtonResult:
    """Where Newton's method ended.

    Attributes
    ----------
    x : ndarray of shape (d,)
    residual : float
        ``max_j |gradient_j| / scale_j`` before the last step, or after it where that is foreseen and not
        measured; dimensionless when gradients scale like features.
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


def damped_cholesky(matrix):
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


def search(evaluate, x, step, value, slope, most, blur=0.0):
    """Halve the step until the value decreases; return the step's length, the trial and the cost.

    Next to the minimum a decrease drowns in the rounding of the value's terms, which may be far larger than
    the value. Slopes keep their digits there: a short step after which at most half the slope points uphill
    has passed the minimum by less than half its length. `blur` is what rounding leaves of a value, where
    that is known to be more than a hundred-millionth of it.
    """
    length, blur = 1.0, max(_BLURRED * (1.0 + abs(value)), blur)
    for spent in range(1, most + 1):
        trial = evaluate(x + length * step)
        rise = trial[0] - value
        if rise <= 1e-4 * length * slope:
            return length, trial, spent
        if rise <= blur and trial[1] @ step <= -_SLOPE_LEFT * slope:
            return length, trial, spent
        length *= 0.5
    return length, None, most


def better_start(evaluate, start, value_at_zero):
    """Return the point to begin at, the start or 0 where that is better, and what was evaluated there."""
    x = np.array(start, dtype=float)
    found = evaluate(x)
    if found[0] <= value_at_zero:
        return x, found
    x = np.zeros_like(x)
    return x, evaluate(x)


def descend(evaluate, x, found, metric, max_iter, blur=0.0):
    """Take Newton's steps, with a safeguard, until the gradient is small or steps gain nothing.

    Parameters
    ----------
    evaluate : callable
        ``x -> (value, gradient (d,), ...)``.
    x : ndarray of shape (d,)
    found : tuple
        What `evaluate` says of x.
    metric : object
        What is known of the Hessian: ``residual(gradient)``, ``step(gradient, residual)``, and
        ``follow(x, found, left, residual)``, which takes it to a point that was accepted and returns the
        residual there, `left` in units of the old metric.
    max_iter : int
    blur : float
        See `search`.

    Returns
    -------
    x, found, residual, iterations
        The last point, what is known of it, and how many evaluations there were.
    """
    residual, iterations = metric.residual(found[1]), 1
    while residual > RESIDUAL_TARGET and iterations < max_iter:
        step = metric.step(found[1], residual)
        most = max_iter - iterations
        length, trial, spent = search(evaluate, x, step, found[0], found[1] @ step, most, blur)
        iterations += spent
        if trial is None:
            break
        left = metric.residual(trial[1])
        if left >= residual and residual <= RESIDUAL_ACCEPTED:
            break
        x, found = x + length * step, trial
        residual = metric.follow(x, found, left, residual)
    return x, found, residual, iterations


class _Factored:
    """A Hessian in units of the features, factored at the last point."""

    def __init__(self, scale, hessian):
        self.scale = scale
        self._factor(hessian)

    def _factor(self, hessian):
        self.factor, self.curvature = damped_cholesky(hessian / np.outer(self.scale, self.scale))

    def residual(self, gradient):
        return float(np.abs(gradient / self.scale).max())

    def step(self, gradient, residual=0.0):
        return -dpotrs(self.factor, gradient / self.scale, lower=1)[0] / self.scale

    def follow(self, x, found, left, residual):
        self._factor(found[2])
        return left


def newton_by_values(evaluate, start, scale, value_at_zero=np.inf, max_iter=100):
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
        Steps are halved until the value decreases, or, where a decrease would drown in
        rounding, until the slope along them has; a Hessian that is not numerically positive
        definite is damped.
    """
    x, found = better_start(evaluate, start, value_at_zero)
    metric = _Factored(scale, found[2])
    x, found, residual, iterations = descend(evaluate, x, found, metric, max_iter)
    if residual <= RESIDUAL_TARGET and metric.curvature >= _REGULAR:
        # free: without it a warm start that is solved already would never move, however flat the function
        x = x + metric.step(found[1])
    return NewtonResult(x, residual, iterations, metric.curvature)


def newton_on_demand(evaluate, start, sums, scale, entropy, cost, crest):
    """Minimise one function as `newton_together` does several.

    Parameters
    ----------
    evaluate : callable
        ``(x, with_hessian) -> [gradient (d), packed Hessian]`` or the gradient alone.
    start : ndarray of shape (d,)
    sums : ndarray of shape (d + d (d + 1) / 2,)
    scale : ndarray of shape (d,)
    entropy, cost, crest : float

    Returns
    -------
    NewtonResult
    """

    def evaluate_one(points, wanted):
        return evaluate(points[0], wanted[0] == newton_steps.HESSIAN)[np.newaxis]

    one = start[np.newaxis], sums[np.newaxis]
    return newton_together(evaluate_one, *one, scale, entropy, cost, crest)[0]


def newton_together(evaluate, starts, sums, scale, entropy, cost, crest, first=0):
    """Minimise r functions as `emmd.kernels.solvers.newton_steps` does, with sums that come from anywhere.

    Parameters
    ----------
    evaluate : callable
        ``(points (r, d), wanted (r,)) -> sums (r, first + d + d (d + 1) / 2)``: from column `first` on
        gradients and packed Hessians, or ``(r, first + d)`` when no Hessian is wanted. What is not wanted may
        be anything. Its arguments are overwritten later.
    starts : ndarray of shape (r, d)
    sums : ndarray of shape (r, d + d (d + 1) / 2)
        Gradients and packed Hessians at the starts.
    scale : ndarray of shape (d,)
    entropy : float
        The largest of a label, see `emmd.kernels.solvers.newton_steps.workspace`.
    cost : float
        Of a Hessian, in units of a gradient.
    crest : float
        The largest feature in root mean squares, see `emmd.kernels.solvers.newton_steps.workspace`.
    first : int

    Returns
    -------
    list of NewtonResult
    """
    r, d = starts.shape
    states, vectors, factors = newton_steps.workspace(r, d, cost, entropy, crest)
    vectors[newton_steps.TRIAL :: newton_steps.VECTORS] = starts
    wanted, points = np.full(r, newton_steps.HESSIAN), np.empty((r, d))
    column = 0
    while newton_steps.advance_all(states, vectors, factors, sums, column, scale, wanted, points):
        sums, column = evaluate(points, wanted), first
    return newton_results(states, vectors)


def newton_results(states, vectors):
    """Return where the methods of `emmd.kernels.solvers.newton_steps` ended."""
    return [
        NewtonResult(
            vectors[k * newton_steps.VECTORS + newton_steps.POINT].copy(),
            float(states[k, newton_steps.RESIDUAL]),
            int(states[k, newton_steps.ITERATIONS]),
            float(states[k, newton_steps.CURVATURE]),
        )
        for k in range(len(states))
    ]
