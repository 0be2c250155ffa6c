"""Potentials E[phi(x' theta)] of a linear predictor: the building blocks of the mirror map.

A potential is convex; its gradient and inverse gradient, Bregman divergence and
M-step are what EM and mirror descent need. The M-step and the inverse gradient
solve the same equation from different data (soft labels of every row against
one dual vector) with different evaluations, so that one can check the other.
"""

import numpy as np
from scipy.special import expit

from emmd.core.design import unpack_symmetric
from emmd.core.newton import NewtonResult, newton, newton_on_demand, newton_result
from emmd.kernels.bernoulli import divergence_rows
from emmd.kernels.logistic_regression import (
    LOG_2,
    hessian_cost,
    logistic_gradient_rows,
    logistic_rows,
    solve_logistic,
)
from emmd.kernels.reduce import PARALLEL_ROWS, run_rows, sum_rows
from emmd.kernels.softplus import softplus_rows


def log_sigmoid(u):
    """Return log(1 / (1 + e^-u)) for real or complex arrays, without overflow."""
    negative = np.where(np.real(u) < 0, u, -u)
    return np.where(np.real(u) < 0, u, 0.0) - np.log1p(np.exp(negative))


class Quadratic:
    """phi(u) = u^2 / 2, the potential of a Gaussian mean with unit variance."""

    max_curvature = 1.0

    def phi(self, u):
        """Return u^2 / 2 for real or complex u."""
        return 0.5 * u * u

    def mean(self, u):
        """Return phi'(u) = u."""
        return u

    def value(self, design, theta):
        """Return E[(x'theta)^2] / 2."""
        return 0.5 * float(theta @ design.second_moment @ theta)

    def gradient(self, design, theta):
        """Return E[x x'theta]."""
        return design.second_moment @ theta

    def hessian(self, design, theta):
        """Return E[xx']."""
        return design.second_moment

    def divergence(self, design, u, v):
        """Return D(u, v) = E[(x'(u - v))^2] / 2."""
        return 0.5 * float((u - v) @ design.second_moment @ (u - v))

    def inverse_gradient(self, design, dual, start):
        """Solve E[xx'] theta = dual."""
        return self._solved(design, dual)

    def m_step(self, design, targets, start):
        """Minimise E[(x'theta)^2 / 2 - target x'theta]."""
        return self._solved(design, design.moment(design.weights * targets))

    @staticmethod
    def _solved(design, dual):
        theta = design.solve(dual)
        # one step of iterative refinement brings the residual to rounding
        theta = theta - design.solve(design.second_moment @ theta - dual)
        residual = np.abs((design.second_moment @ theta - dual) / design.scale).max()
        return NewtonResult(theta, float(residual), 1, 1.0)


class Softplus:
    """phi(u) = log(1 + e^u), the potential of a Bernoulli logit."""

    max_curvature = 0.25

    def phi(self, u):
        """Return log(1 + e^u) for real or complex u, without overflow."""
        return -log_sigmoid(-u)

    def mean(self, u):
        """Return phi'(u) = sigmoid(u)."""
        return expit(u)

    @staticmethod
    def _rows(design, theta):
        b = design.predict(theta)
        value, mean, variance = np.empty((3, design.n_rows))
        run_rows(softplus_rows, design.n_rows, b, value, mean, variance)
        return value, mean, variance

    def value(self, design, theta):
        """Return E[log(1 + e^{x'theta})]."""
        return float(np.sum(design.weights * self._rows(design, theta)[0]))

    def gradient(self, design, theta):
        """Return E[sigmoid(x'theta) x]."""
        return design.moment(design.weights * self._rows(design, theta)[1])

    def hessian(self, design, theta):
        """Return E[sigmoid'(x'theta) xx']."""
        return design.gram(design.weights * self._rows(design, theta)[2])

    def divergence(self, design, u, v):
        """Return D(u, v), a mean of KL divergences between Bernoulli laws, free of cancellation."""
        a, b = design.predict(u), design.predict(v)
        return float(sum_rows(divergence_rows, design.n_rows, 1, a, b, design.weights)[0])

    def inverse_gradient(self, design, dual, start):
        """Solve E[sigmoid(x'theta) x] = dual by Newton's method on the convex potential."""

        def evaluate(theta):
            value, mean, variance = self._rows(design, theta)
            gradient = design.moment(design.weights * mean) - dual
            return (
                np.sum(design.weights * value) - dual @ theta,
                gradient,
                design.gram(design.weights * variance),
            )

        return newton(evaluate, start, design.scale, value_at_zero=np.log(2.0))

    def m_step(self, design, targets, start):
        """Minimise E[log(1 + e^{x'theta}) - target x'theta]: logistic regression with soft labels."""
        sums = _evaluate(design, targets, start)
        return self.m_step_from(design, targets, start, sums[0], sums[1:])

    def m_step_from(self, design, targets, start, value, sums):
        """Minimise as `m_step` does, with the value, gradient and packed Hessian at the start known."""
        if design.n_rows < PARALLEL_ROWS:
            features = design.XB, targets, design.weights, design.scale
            solved = newton_result(*solve_logistic(*features, start, value, sums))
        else:
            solved = _solve_in_shares(design, targets, start, value, sums)
        return solved if solved.solved else self._m_step_by_values(design, targets, solved.x)

    @staticmethod
    def _m_step_by_values(design, targets, start):
        """Minimise with a line search on values: for what slopes alone do not solve."""

        def evaluate(theta):
            sums = _evaluate(design, targets, theta)
            d = design.n_features
            return sums[0], sums[1 : 1 + d], unpack_symmetric(sums[1 + d :], d)

        return newton(evaluate, start, design.scale, value_at_zero=LOG_2)


def _evaluate(design, targets, theta):
    d = design.n_features
    width = 1 + d + d * (d + 1) // 2
    return sum_rows(logistic_rows, design.n_rows, width, design.XB, theta, targets, design.weights)


def _solve_in_shares(design, targets, start, value, sums):
    """Do what `solve_logistic` does with sums over rows that run in several threads."""

    def evaluate(theta, with_hessian):
        return logistic_derivatives(design, targets, theta, with_hessian)

    cost = hessian_cost(design.n_features)
    return newton_on_demand(evaluate, start, value, sums, design.scale, LOG_2, cost)


def logistic_derivatives(design, targets, theta, with_hessian):
    """Return gradient and packed Hessian, or the gradient alone, of a soft-label logistic regression."""
    if with_hessian:
        return _evaluate(design, targets, theta)[1:]
    arguments = design.XB, theta, targets, design.weights
    return sum_rows(logistic_gradient_rows, design.n_rows, design.n_features, *arguments)
