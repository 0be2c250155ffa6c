"""Projected mirror descent on natural parameters: what EM is for any mixture of experts."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize as scipy_minimize

from emmd.core.checks import positive_number
from emmd.core.loop.algorithm import Algorithm, Step
from emmd.core.status import Status
from emmd.fits.pencil import pencil

_SOLVED = 1e-9
_STEPS = 40

_TOLERANCE = 1e-10
"""Largest entry of the gradient at which the solver stops."""

_POLISHED = 1e-14
"""Largest entry of the gradient that is not polished any further."""

_ITERATIONS = 100
"""Of the trust region, which takes a few tens, or runs to infinity: where a dual step leaves the range."""


@dataclass(frozen=True)
class ProjectedMirrorDescent(Algorithm):
    """A dual step for every sample, then the Bregman projection onto the model set.

    With eta_i = eta(x_i; theta) and the marginal loss l_i as a function of eta_i:

    1. grad A(eta~_i) = grad A(eta_i) - step_size * grad l_i(eta_i);
    2. theta+ = argmin E[D_A(eta(x; theta), eta~(x))], plus step_size times a ridge penalty, if any.

    Gradients in eta and in the predictors are complex steps of the log partition
    function and of the evidence; the projection is left to scipy's trust-region solver. Nothing is shared
    with the E-step and the M-step, and nothing is fast.

    Parameters
    ----------
    step_size : float
        With unit step the iterates are those of EM.

    References
    ----------
    Fruytier, Mokhtari, Sanghavi, ICML 2025.
    """

    step_size: float = 1.0

    name = "projected_mirror_descent"
    remedy = "Use a smaller step_size, or start closer to an optimum."

    def __post_init__(self):
        self._settle(step_size=positive_number("step_size", self.step_size))

    def step(self, problem, theta, memory):
        """Take one dual step and project it."""
        eta = problem.definition.eta(theta)
        mean, slope = problem.definition.mean_and_slope(eta)
        dual = mean - self.step_size * slope
        loss = problem.model.penalty(theta) + float(problem.weights @ problem.definition.losses(eta))
        target, residual = _project(problem, theta, dual, self.step_size)
        failure = None if residual <= _SOLVED else Status.INNER_FAILED
        # the solver's is in units of the parameters' scale, a step's in those of a gradient's terms
        units = problem.model.parameter_scale(problem.data) / problem.model.gradient_scale(
            problem.data, theta
        )
        left = residual * float(units.max())
        return Step(target, loss, target - theta, failure=failure, residual=left)

    def linear_factors(self, complete_hessian, hessian, expected=None):
        """Return the eigenvalues of I - s (F + s C)^{-1} hess L.

        s is the step, F = E[J' hess A J] the expected information and C = I_com - F
        what the curvature of the model set adds, E[<grad l, hess eta>]: at unit step
        the metric is I_com, and the factors are those of EM.
        """
        fisher = complete_hessian if expected is None else expected
        metric = fisher + self.step_size * (complete_hessian - fisher)
        return 1.0 - self.step_size * pencil(hessian, metric)[0]


def _objective(problem, theta, dual, step_size):
    """Return E[A(eta(theta)) - <dual, eta(theta)>] plus step_size times the ridge."""
    eta = problem.definition.eta(theta)
    value = problem.weights @ (problem.model.log_partition(eta) - np.einsum("nd,nd->n", dual, eta))
    return float(value + step_size * problem.model.penalty(theta))


def _slope(problem, theta, dual, step_size):
    """Return the gradient of the objective, shape (p,)."""
    definition = problem.definition
    gradient = definition.pull_back(theta, definition.mean(definition.eta(theta)) - dual)
    return gradient + step_size * definition.penalty_gradient(theta)


def _project(problem, theta, dual, step_size):
    """Minimise the projection's objective; return theta and the largest gradient entry left.

    The Hessian only says where to look: the gradient, which says whether that is a minimum, is its own code.
    """
    model, data = problem.model, problem.data
    scale = model.parameter_scale(data)
    outer = np.outer(scale, scale)

    # a trial far off may overflow: the solver steps back from it
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")

    @quiet
    def function(u):
        value = _objective(problem, u / scale, dual, step_size) if model.in_domain(u / scale) else np.inf
        return value if np.isfinite(value) else np.inf

    @quiet
    def slope(u):
        inside = model.in_domain(u / scale)
        return _slope(problem, u / scale, dual, step_size) / scale if inside else np.full_like(u, np.nan)

    @quiet
    def hessian(u):
        curvature = model.projection_hessian(data, dual, u / scale)
        curvature = curvature + step_size * model.penalty_hessian(u / scale)
        return model.regular(data, u / scale, curvature) / outer

    best, left, convex = _by_newton(slope, hessian, theta * scale)
    if not (convex and left <= _TOLERANCE):
        options = {"gtol": _TOLERANCE, "maxiter": _ITERATIONS}
        try:
            rough = scipy_minimize(
                function, theta * scale, jac=slope, hess=hessian, method="trust-exact", options=options
            )
        except (ValueError, np.linalg.LinAlgError, UnboundLocalError):
            # a dual step out of the range of the mirror map has no projection: the solver runs to infinity;
            # SciPy's has no name for its step where no damping makes a Hessian positive definite
            return theta, np.inf
        best, left, _ = _by_newton(slope, hessian, rough.x)
    return best / scale, left


def _by_newton(slope, hessian, u):
    """Take steps of Newton's method while they halve the gradient; a Hessian is kept as long as it serves.

    Returns
    -------
    u : ndarray of shape (p,)
    left : float
        The largest entry of the gradient there.
    convex : bool
        Whether steps were taken, all with a positive definite Hessian: while they halve the gradient they
        lead to a minimum.
    """
    gradient, factor, fresh = slope(u), None, False
    left = float(np.abs(gradient).max())
    for _ in range(_STEPS):
        if left <= _POLISHED:
            break
        if factor is None:
            try:
                factor, fresh = cho_factor(hessian(u)), True
            except (ValueError, np.linalg.LinAlgError):
                return u, left, False
        trial = u - cho_solve(factor, gradient)
        found = slope(trial)
        if np.abs(found).max() < 0.5 * left:
            u, gradient, left, fresh = trial, found, float(np.abs(found).max()), False
        elif fresh:
            break
        else:
            factor = None
    return u, left, factor is not None
