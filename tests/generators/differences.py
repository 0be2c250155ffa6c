"""Derivatives by central differences of order 4: the error is about h^4 and rounding / h."""

import numpy as np


def derivative(function, theta, h=1e-4):
    """Return the derivatives of a function along all axes, stacked along the first axis."""

    def central(step):
        axes = step * np.eye(len(theta))
        return np.array([(function(theta + e) - function(theta - e)) / (2 * step) for e in axes])

    return (4 * central(h) - central(2 * h)) / 3


def assert_derivatives(problem, theta):
    """Gradient and Hessian are the differences of the loss and of the gradient."""
    scale = 1.0 + np.abs(problem.complete_hessian(theta)).max()
    slope, curvature = derivative(problem.loss, theta), derivative(problem.gradient, theta)
    np.testing.assert_allclose(problem.gradient(theta), slope, rtol=0, atol=1e-10 * scale)
    np.testing.assert_allclose(problem.hessian(theta), curvature, rtol=0, atol=1e-9 * scale)
