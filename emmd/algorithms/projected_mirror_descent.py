"""Projected mirror descent on natural parameters: what EM is for any mixture of experts."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize as scipy_minimize

from emmd.core.checks import positive_number
from emmd.core.loop.status import Status
from emmd.core.protocols.algorithm import Algorithm, Step
from emmd.fits.pencil import pencil

_SOLVED = 1e-9
_STEPS = 5

_ITERATIONS = 300
"""Of the trust region: a dual step out of the range of the mirror map sends it to infinity."""


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
        dual = self.dual_step(problem, eta)
        loss = problem.model.penalty(theta) + float(problem.weights @ problem.definition.losses(eta))
        target, residual = _project(problem, theta, dual, self.step_size)
        failure = None if residual <= _SOLVED else Status.INNER_FAILED
        return Step(target, loss, target - theta, failure=failure)

    def dual_step(self, problem, eta):
        """Return grad A(eta~) for every sample, shape (n, D)."""
        return problem.definition.mean(eta) - self.step_size * problem.definition.slope(eta)

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
    """Return E[A(eta(theta)) - <dual, eta(theta)>] plus step_size times the ridge, and its gradient."""
    definition = problem.definition
    eta = definition.eta(theta)
    value = problem.weights @ (problem.model.log_partition(eta) - np.einsum("nd,nd->n", dual, eta))
    gradient = definition.pull_back(theta, definition.mean(eta) - dual)
    ridge = problem.model.penalty(theta), definition.penalty_gradient(theta)
    return float(value + step_size * ridge[0]), gradient + step_size * ridge[1]


def _project(problem, theta, dual, step_size):
    """Minimise the projection's objective; return theta and the largest gradient entry left.

    The Hessian only says where to look: the gradient, which says whether that is a minimum, is its own code.
    """
    model, data = problem.model, problem.data
    scale = model.parameter_scale(data)
    outer = np.outer(scale, scale)

    def function(u):
        if not model.in_domain(u / scale):
            return np.inf, np.full_like(u, np.nan)
        # a trial far off may overflow: the solver steps back from it
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value, gradient = _objective(problem, u / scale, dual, step_size)
        return value if np.isfinite(value) else np.inf, gradient / scale

    def hessian(u):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            curvature = model.projection_hessian(data, dual, u / scale)
            curvature = curvature + step_size * model.penalty_hessian(u / scale)
            return model.regular(data, u / scale, curvature) / outer

    start, options = theta * scale, {"gtol": 1e-10, "maxiter": _ITERATIONS}
    try:
        rough = scipy_minimize(function, start, jac=True, hess=hessian, method="trust-exact", options=options)
    except (ValueError, np.linalg.LinAlgError):
        # a dual step that has left the range of the mirror map has no projection: the solver runs to infinity
        return theta, np.inf
    best = _polish(function, hessian, rough.x)
    return best / scale, float(np.abs(function(best)[1]).max())


def _polish(function, hessian, u):
    """Newton steps while they shrink the gradient; next to the minimum one Hessian serves them all."""
    gradient, curvature = function(u)[1], hessian(u)
    for _ in range(_STEPS):
        try:
            trial = u - np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:
            break
        slope = function(trial)[1]
        if not np.abs(slope).max() < np.abs(gradient).max():
            break
        u, gradient = trial, slope
    return u
