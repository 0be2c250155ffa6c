"""Derivatives of a user's functions, batched over rows: automatic, or by complex steps."""

from functools import partial
from typing import Any

import numpy as np

from emmd.core.derivatives import row_gradient, row_hessian
from emmd.models.latent.rows import row_of


class ComplexSteps:
    """Functions written with NumPy that accept complex numbers; rows are taken one at a time.

    First derivatives are exact to rounding, second ones are differences of these, to about 1e-11.
    """

    automatic = False

    def __init__(self, natural_parameters, log_partition, log_numerator):
        self._natural, self._partition, self._numerator = natural_parameters, log_partition, log_numerator

    def eta(self, rows, X):
        """Return eta of every row's own theta, shape (n, D)."""
        return np.array([self._natural(theta, row_of(X, i)) for i, theta in enumerate(rows)])

    def jacobian(self, rows, X):
        """Return d eta / d theta, shape (n, D, p)."""
        return row_gradient(lambda points: self.eta(points, X), rows)

    def curvature(self, rows, X, slopes):
        """Return the Hessians of <slopes, eta> in theta, shape (n, p, p)."""
        return row_hessian(lambda points: np.einsum("nd,ndp->np", slopes, self.jacobian(points, X)), rows)

    def partition(self, eta):
        """Return A, shape (n,)."""
        return np.array([self._partition(each) for each in eta])

    def mean(self, eta):
        """Return grad A, shape (n, D)."""
        return row_gradient(self.partition, eta)

    def covariance(self, eta):
        """Return hess A, shape (n, D, D)."""
        return row_hessian(self.mean, eta)

    def numerator(self, eta, y):
        """Return A_y, shape (n,)."""
        return np.array([self._numerator(each, row_of(y, i)) for i, each in enumerate(eta)])

    def posterior(self, eta, y):
        """Return grad A_y, shape (n, D)."""
        return row_gradient(lambda points: self.numerator(points, y), eta)

    def posterior_covariance(self, eta, y):
        """Return hess A_y, shape (n, D, D)."""
        return row_hessian(lambda points: self.posterior(points, y), eta)


class Automatic:
    """Functions written with jax.numpy: derivatives by automatic differentiation in double precision.

    Everything is batched over rows and compiled once for each shape.
    """

    automatic = True

    def __init__(self, natural_parameters, log_partition, log_numerator):
        import jax

        batched = partial(_double, jax)
        rows, alone = (0, 0), (0,)

        def against(theta, x, slopes):
            return slopes @ natural_parameters(theta, x)

        self.eta = batched(natural_parameters, rows)
        self.jacobian = batched(jax.jacfwd(natural_parameters), rows)
        self.curvature = batched(jax.hessian(against), (0, 0, 0))
        self.partition = batched(log_partition, alone)
        self.mean = batched(jax.grad(log_partition), alone)
        self.covariance = batched(jax.hessian(log_partition), alone)
        self.numerator = batched(log_numerator, rows)
        self.posterior = batched(jax.grad(log_numerator), rows)
        self.posterior_covariance = batched(jax.hessian(log_numerator), rows)


def _double(jax, function, axes):
    """Return a function of arrays that is batched over rows, compiled, and computes in double precision."""
    compiled = jax.jit(jax.vmap(function, in_axes=axes))

    def call(*arguments):
        with jax.enable_x64(True):
            return np.asarray(compiled(*arguments), dtype=np.float64)

    return call


def derivatives_of(functions: tuple, theta: np.ndarray, x: Any, y: Any) -> Any:
    """Return `Automatic` where JAX is installed and can trace the functions, else `ComplexSteps`.

    Parameters
    ----------
    functions : tuple of callable
        natural_parameters, log_partition, log_numerator.
    theta : ndarray of shape (p,)
        A point of the domain, to try them at.
    x, y : object
        One row.
    """
    try:
        import jax
    except ImportError:
        return ComplexSteps(*functions)
    natural, partition, numerator = functions
    untraceable = (
        jax.errors.TracerArrayConversionError,
        jax.errors.ConcretizationTypeError,
        jax.errors.TracerBoolConversionError,
    )
    try:
        with jax.enable_x64(True):
            eta = jax.eval_shape(natural, theta, x)
            jax.eval_shape(partition, eta)
            jax.eval_shape(numerator, eta, y)
    except untraceable:
        return ComplexSteps(*functions)
    return Automatic(*functions)
