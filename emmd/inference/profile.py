"""Profile-likelihood intervals: all values of a parameter that the likelihood does not refuse."""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import chdtri
from sklearn.exceptions import ConvergenceWarning

from emmd.core.numerics.rounding import loss_rounding
from emmd.core.problem import Problem

_FARTHEST = 2.0**6
"""Standard errors from the estimate at which the search ends: the interval is unbounded there."""

_TOL = 1e-5
"""Norm of the gradient, in standard errors, at which an inner fit ends; the deviance errs by its square."""


_SEEN = 0.1
"""Rounding of a deviance that an end can do with: ends are where it is about 4."""


class Profile:
    """The likelihood along one parameter, all others fitted to it.

    Parameters
    ----------
    problem : Problem
    theta : ndarray of shape (p,)
        The optimum.
    total : float
        Sum of the weights.
    spread : ndarray of shape (p, p)
        Covariance of theta there.
    slope : ndarray of shape (p,)
        Derivative of the parameter in theta; the parameter is an affine function of theta.

    Notes
    -----
    Coordinates in which the covariance is the identity, turned so that the first one is the parameter in
    standard errors: Newton's method on the others starts next to its end.
    """

    def __init__(
        self, problem: Problem, theta: np.ndarray, total: float, spread: np.ndarray, slope: np.ndarray
    ) -> None:
        root = np.linalg.cholesky(spread)
        along = root.T @ slope
        self.deviation = float(np.linalg.norm(along))
        turn = np.linalg.qr(np.column_stack([along, np.eye(len(theta))]))[0]
        turn[:, 0] = along / self.deviation
        self.axes = root @ turn
        self.model, self.data, self.theta, self.total = problem.model, problem.data, theta, total
        self.least = self.model.loss(self.data, theta)
        error = 2.0 * total * loss_rounding(problem, theta)
        if not error < _SEEN:
            raise ValueError(
                f"X, y and sample_weight must leave the likelihood digits for a profile, got {total:g} "
                f"observations whose deviance rounding alone changes by {error:.1g}"
            )
        self.rest = np.zeros(len(theta) - 1)

    def deviance(self, distance: float) -> float:
        """Return twice the loss of log-likelihood with the parameter so many standard errors away."""

        def point(rest):
            return self.theta + self.axes @ np.append(distance, rest)

        def value(rest):
            excess = self.total * (self.model.loss(self.data, point(rest)) - self.least)
            return excess if np.isfinite(excess) else np.inf

        def gradient(rest):
            return self.total * (self.model.gradient(self.data, point(rest)) @ self.axes)[1:]

        def hessian(rest):
            return self.total * (self.axes.T @ self.model.hessian(self.data, point(rest)) @ self.axes)[1:, 1:]

        if not len(self.rest):
            return 2.0 * value(self.rest)
        with np.errstate(all="ignore"):
            found = minimize(
                value, self.rest, jac=gradient, hess=hessian, method="trust-exact", options={"gtol": _TOL}
            )
        self.rest = found.x
        return 2.0 * float(found.fun)

    def end(self, side: float, level: float) -> float:
        """Return where the deviance reaches the quantile of chi-square, in standard errors; maybe infinite.

        Parameters
        ----------
        side : -1.0 or 1.0
        level : float
        """
        threshold = float(chdtri(1.0, 1.0 - level))
        inner, outer = 0.0, np.sqrt(threshold)
        self.rest = np.zeros_like(self.rest)
        while self.deviance(side * outer) < threshold:
            inner, outer = outer, 1.5 * outer
            if outer > _FARTHEST:
                return side * np.inf
        return side * float(brentq(lambda s: self.deviance(side * s) - threshold, inner, outer, xtol=1e-7))


def profile_interval(profile: Any, level: float) -> tuple[float, float]:
    """Return both ends, in standard errors from the estimate; warn where there is none."""
    ends = profile.end(-1.0, level), profile.end(1.0, level)
    if not np.isfinite(ends).all():
        warnings.warn(
            "The likelihood does not fall far enough on one side, so the interval is unbounded there.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return ends
