"""The parameters of a mixture after the M-steps of its experts, where the sums of one pass tell them."""

import math

from emmd.kernels.compile.jit import deciding
from emmd.kernels.maths.vectors import larger
from emmd.kernels.solvers import newton_steps

SQUARE, RESIDUAL, PIVOT, KEPT, MASS = range(5)
"""What is reported of each expert's weighted least squares: the mean square residual, the scaled residual of
the normal equations, the smallest squared pivot, the share of digits that a fit by a step keeps, the mass."""

REPORT = 5
"""How much that is."""

EMPTY = 1e-10
"""An expert with less mass is empty."""

DIGITS_KEPT = 1e-2
"""Below this share a fit by steps would lose two digits; it is then made anew."""


@deciding
def pooled(report):
    """Return the log of the experts' mean square residuals, averaged by mass."""
    squares = mass = 0.0
    for k in range(report.shape[0]):
        squares += report[k, MASS] * report[k, SQUARE]
        mass += report[k, MASS]
    return math.log(squares / mass)


@deciding
def determines(row):
    """Return whether an expert has mass, and a spread that keeps its digits; NaN has not."""
    return row[MASS] >= EMPTY and row[KEPT] > DIGITS_KEPT and row[SQUARE] > 0.0


@deciding
def write_experts(fitted, report, floor, out):
    """Write coefficients and log variances; return the largest residual and the smallest pivot.

    Parameters
    ----------
    fitted : ndarray of shape (K, d)
    report : ndarray of shape (K, REPORT)
    floor : float
        A log variance that counts as zero.
    out : ndarray of shape (K d + m,)
        With one log variance for each expert, one for all, or none.

    Returns
    -------
    residual : float
        Infinite where these sums do not tell: an expert is empty, its variance collapses, or its fit by a
        step loses digits.
    curvature : float
    """
    K, d = fitted.shape
    residual, curvature, determined = 0.0, math.inf, True
    for k in range(K):
        determined = determined and determines(report[k])
        residual = larger(residual, report[k, RESIDUAL])
        curvature = min(curvature, report[k, PIVOT])
        for j in range(d):
            out[k * d + j] = fitted[k, j]
    if not determined:
        return math.inf, curvature
    spread = out[K * d :]
    for k in range(spread.shape[0]):
        spread[k] = pooled(report) if spread.shape[0] < K else math.log(report[k, SQUARE])
        determined = determined and spread[k] >= floor
    return residual if determined else math.inf, curvature


@deciding
def write_constant_gate(report, out):
    """Write the log odds of the experts' masses against the last."""
    last = report.shape[0] - 1
    for k in range(last):
        out[k] = math.log(report[k, MASS] / report[last, MASS])


@deciding
def write_gate(state, vectors, residual, curvature, out):
    """Write a gate's minimiser; return the larger residual, the smaller curvature and the gate's iterations.

    Parameters
    ----------
    state, vectors : ndarray
        Of the solver that ended, see `emmd.kernels.solvers.newton_steps`.
    residual, curvature : float
        Of the experts.
    out : ndarray of shape ((K - 1) d,)
    """
    for j in range(out.shape[0]):
        out[j] = vectors[newton_steps.POINT, j]
    residual = larger(residual, state[newton_steps.RESIDUAL])
    return residual, min(curvature, state[newton_steps.CURVATURE]), state[newton_steps.ITERATIONS]
