"""Potentials E[phi(x' theta)] of a linear predictor: the building blocks of the mirror map.

A potential is convex; its gradient and inverse gradient, Bregman divergence and
M-step are what EM and mirror descent need. The M-step and the inverse gradient
solve the same equation from different data (soft labels of every row against
one dual vector) with different evaluations, so that one can check the other.
"""

import numpy as np
from scipy.special import expit

from emmd.fits.logistic import fit_logistics, logistic_sums
from emmd.fits.newton import NewtonResult, newton_by_values
from emmd.kernels.maths.bernoulli import divergence_rows
from emmd.kernels.maths.softplus import softplus_rows
from emmd.kernels.rows.reduce import run_rows, sum_rows
from emmd.kernels.solvers.newton_steps import HESSIAN


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
        # at high SNR theta is large, and so is the rounding of E[xx'] theta
        size = max(1.0, np.abs(dual / design.scale).max())
        return NewtonResult(theta, float(residual / size), 1, 1.0)


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

        return newton_by_values(evaluate, start, design.scale, value_at_zero=np.log(2.0))

    def m_step(self, design, targets, start):
        """Minimise E[log(1 + e^{x'theta}) - target x'theta]: logistic regression with soft labels."""
        labels, starts = targets[np.newaxis], start[np.newaxis]
        sums = logistic_sums(design, labels, starts, np.array([HESSIAN]))
        return fit_logistics(design, labels, starts, sums[:, 1:].copy())[0]
