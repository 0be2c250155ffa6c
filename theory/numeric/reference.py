"""The optimum that EM reaches from a start, to 1e-13: what every rate and region claim refers to."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize as scipy_minimize

from emmd.core.checks import positive_integer
from emmd.core.pencil import pencil
from emmd.core.solve import em_displacement, minimize

STRICT = 1e-7
"""Smallest eigenvalue of hess L relative to I_com that counts as a strict local minimum."""


@dataclass(frozen=True)
class Reference:
    """A stationary point and how good it is.

    Attributes
    ----------
    theta : ndarray of shape (p,)
    loss : float
    displacement : float
        Relative EM displacement left at theta; at most 1e-13 when solved.
    curvature : float
        Smallest eigenvalue of the pencil (hess L, I_com), that is 1 - lambda_max(M).
    reason : str
        Empty when theta is a strict local minimum, else what is wrong with it.
    """

    theta: np.ndarray
    loss: float
    displacement: float
    curvature: float
    reason: str

    @property
    def strict(self):
        """Whether theta is a strict local minimum, solved to 1e-13."""
        return not self.reason


def reference_optimum(problem, theta0, em_iterations=300):
    """Follow EM from theta0, then Newton's method on the marginal likelihood.

    Parameters
    ----------
    problem : emmd.Problem
    theta0 : array_like of shape (p,)
    em_iterations : int
        EM steps before acceleration takes over.

    Returns
    -------
    Reference

    Notes
    -----
    Acceleration (SQUAREM) and a trust-region Newton method (scipy's trust-exact)
    finish slow runs; plain Newton steps polish the gradient to rounding.
    """
    em_iterations = positive_integer("em_iterations", em_iterations)
    run = minimize(problem, theta0, method="em", tol=1e-9, max_iter=em_iterations)
    if not run.success and run.status == 1:
        run = minimize(problem, run.x, method="squarem", tol=1e-9, max_iter=em_iterations)
    if not run.success and run.status != 1:
        return Reference(run.x, run.fun, np.inf, 0.0, run.message)
    theta = run.x if run.success else _trust_region(problem, run.x)
    return _graded(problem, _polish(problem, theta))


def _trust_region(problem, theta):
    scale = problem.model.parameter_scale(problem.data)
    outer = np.outer(scale, scale)
    found = scipy_minimize(
        lambda u: problem.model.loss(problem.data, u / scale),
        theta * scale,
        jac=lambda u: problem.model.gradient(problem.data, u / scale) / scale,
        hess=lambda u: problem.model.hessian(problem.data, u / scale) / outer,
        method="trust-exact",
        options={"gtol": 1e-9, "maxiter": 500},
    )
    return found.x / scale


def _polish(problem, theta):
    """Newton steps while they shrink the EM displacement; a singular Hessian ends them."""
    gradient = problem.gradient(theta)
    size = em_displacement(problem, theta, gradient)
    for _ in range(20):
        try:
            trial = theta - np.linalg.solve(problem.hessian(theta), gradient)
        except np.linalg.LinAlgError:
            return theta
        if not np.isfinite(trial).all():
            return theta
        trial_gradient = problem.gradient(trial)
        trial_size = em_displacement(problem, trial, trial_gradient)
        if not trial_size < size:
            return theta
        theta, gradient, size = trial, trial_gradient, trial_size
    return theta


def _graded(problem, theta):
    size = em_displacement(problem, theta, problem.gradient(theta))
    loss = problem.loss(theta)
    try:
        curvature = float(pencil(problem.hessian(theta), problem.complete_hessian(theta))[0][0])
    except np.linalg.LinAlgError:
        return Reference(theta, loss, size, 0.0, "the complete information is singular: data are separable")
    return Reference(theta, loss, size, curvature, _weakness(size, curvature))


def _weakness(size, curvature):
    if not size <= 1e-13 * max(1.0, 1.0 / max(curvature, STRICT)):
        return f"EM has not reached a stationary point (relative displacement {size:.1e}, 1e-13 wanted)"
    if curvature <= STRICT:
        return f"the limit is not a strict local minimum (1 - lambda_max(M) = {curvature:.1e})"
    return ""
