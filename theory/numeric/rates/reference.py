"""The optimum that EM reaches from a start, to 1e-13: what every rate and region claim refers to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import positive_integer
from emmd.core.loop.solve import em_displacement, minimize
from emmd.core.loop.trust_region import trust_region
from emmd.core.problem import Problem
from emmd.fits.pencil import pencil, reduced
from emmd.theory.numeric.bounds.rounding import gradient_rounding
from emmd.theory.numeric.derivatives.hessian import density_hessian

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
        Smallest eigenvalue of the pencil (hess L, I_com), that is 1 - lambda_max(M); hess L from the density.
    reason : str
        Empty when theta is a strict local minimum, else what is wrong with it.
    """

    theta: np.ndarray
    loss: float
    displacement: float
    curvature: float
    reason: str

    @property
    def strict(self) -> bool:
        """Whether theta is a strict local minimum, solved to 1e-13."""
        return not self.reason


def reference_optimum(problem: Problem, theta0: ArrayLike, em_iterations: int = 300) -> Reference:
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
    theta = run.x if run.success else trust_region(problem, run.x)
    return _graded(problem, _polish(problem, theta, problem.hessian))


def _polish(problem, theta, hessian, most=20):
    """Newton steps while they shrink the EM displacement; a singular Hessian ends them."""
    gradient = problem.gradient(theta)
    size = em_displacement(problem, theta, gradient)
    for _ in range(most):
        try:
            trial = theta - _solved(problem, theta, hessian(theta), gradient)
        except np.linalg.LinAlgError:
            return theta
        if not (np.isfinite(trial).all() and problem.model.in_domain(trial)):
            return theta
        trial_gradient = problem.gradient(trial)
        trial_size = em_displacement(problem, trial, trial_gradient)
        if not trial_size < size:
            return theta
        theta, gradient, size = trial, trial_gradient, trial_size
    return theta


def _solved(problem, theta, hessian, gradient):
    """Return hessian^-1 gradient within the quotient by the gauge directions."""
    basis = problem.quotient(theta)
    if basis.shape[1] == len(theta):
        return np.linalg.solve(hessian, gradient)
    [within] = reduced(basis, hessian)
    return basis @ np.linalg.solve(within, basis.T @ gradient)


def _graded(problem, theta):
    """Judge a point by the Hessian of the density, which shares nothing with the models' informations."""
    found = _judged(problem, theta)
    if not found.reason.startswith(_UNSOLVED):
        return found
    return _judged(problem, _polish(problem, theta, lambda point: density_hessian(problem, point), 3))


def _judged(problem, theta):
    size = em_displacement(problem, theta, problem.gradient(theta))
    loss = problem.loss(theta)
    try:
        both = density_hessian(problem, theta), problem.complete_hessian(theta)
        curvature = float(pencil(*reduced(problem.quotient(theta, both[1]), *both))[0][0])
    except (np.linalg.LinAlgError, ValueError):
        return Reference(theta, loss, size, 0.0, "the complete information is singular: data are separable")
    # a gradient cannot be brought below its own rounding
    noise = em_displacement(problem, theta, gradient_rounding(problem, theta))
    return Reference(theta, loss, size, curvature, _weakness(size, curvature, noise))


_UNSOLVED = "EM has not reached a stationary point"


def _weakness(size, curvature, noise):
    if not size <= max(1e-13 * max(1.0, 1.0 / max(curvature, STRICT)), noise):
        return f"{_UNSOLVED} (relative displacement {size:.1e}, 1e-13 wanted)"
    if curvature <= STRICT:
        return f"the limit is not a strict local minimum (1 - lambda_max(M) = {curvature:.1e})"
    return ""
