"""Derivatives of a user's functions, batched over rows: automatic, or by complex steps.

An array whose rows are all the same is evaluated once: where there are no covariates, eta, A and all that
follows from them is the same for every row.
"""

import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import numpy as np

from emmd.core.numerics.derivatives import row_gradient, row_hessian
from emmd.models.latent.rows import One, row_of
from emmd.models.latent.sums import pulled_back, second_order


class ComplexSteps:
    """Functions written with NumPy that accept complex numbers; rows are taken one at a time.

    First derivatives are exact to rounding, second ones are differences of these, to about 1e-11.
    """

    automatic = False

    def __init__(self, natural_parameters, log_partition, log_numerator):
        self._natural, self._partition, self._numerator = natural_parameters, log_partition, log_numerator

    def eta(self, rows, X):
        """Return eta of every row's own theta, shape (n, D)."""
        if X is None and (one := One.of(rows)):
            return one.spread(self._natural(one.value, None))
        return np.array([self._natural(theta, row_of(X, i)) for i, theta in enumerate(rows)])

    def jacobian(self, rows, X):
        """Return d eta / d theta, shape (n, D, p)."""
        if X is None and (one := One.of(rows)):
            return one.spread(row_gradient(lambda points: self.eta(points, None), one.value[None])[0])
        return row_gradient(lambda points: self.eta(points, X), rows)

    def curvature(self, rows, X, slopes):
        """Return the Hessians of <slopes, eta> in theta, shape (n, p, p)."""
        return row_hessian(lambda points: np.einsum("nd,ndp->np", slopes, self.jacobian(points, X)), rows)

    def complete(self, theta, X, statistics, weights):
        """Return E[A - <S, eta>] and its gradient in theta, shape (p,)."""
        rows = np.broadcast_to(theta, (len(statistics), len(theta)))
        eta, jacobian = self.eta(rows, X), self.jacobian(rows, X)
        values = self.partition(eta) - np.einsum("nd,nd->n", statistics, eta)
        return float(weights @ values), pulled_back(weights, self.mean(eta) - statistics, jacobian)

    def bend(self, theta, X, slopes):
        """Return the Hessian of the sum of all rows' <slopes, eta(theta)>, shape (p, p)."""
        return self.curvature(np.broadcast_to(theta, (len(slopes), len(theta))), X, slopes).sum(axis=0)

    def partition(self, eta):
        """Return A, shape (n,)."""
        if one := One.of(eta):
            return one.spread(self._partition(one.value))
        return np.array([self._partition(each) for each in eta])

    def mean(self, eta):
        """Return grad A, shape (n, D)."""
        if one := One.of(eta):
            return one.spread(row_gradient(self.partition, one.value[None])[0])
        return row_gradient(self.partition, eta)

    def values(self, rows, X):
        """Return eta and A."""
        eta = self.eta(rows, X)
        return eta, self.partition(eta)

    def second(self, theta, X, weights, thetas, factors):
        """Return `emmd.models.latent.sums.second_order` at theta, and at thetas with factors of eta."""
        rows = np.broadcast_to(theta, (len(weights), len(theta)))
        eta = self.eta(rows, X)
        others = (self.eta(np.broadcast_to(each, rows.shape), X) for each in thetas)
        means = [self.mean(other * factor) for other, factor in zip(others, factors)]
        return second_order(weights, self.mean(eta), self.jacobian(rows, X), self.covariance(eta), means)

    def covariance(self, eta):
        """Return hess A, shape (n, D, D)."""
        if one := One.of(eta):
            return one.spread(row_hessian(self.mean, one.value[None])[0])
        return row_hessian(self.mean, eta)

    def numerator(self, eta, y):
        """Return A_y, shape (n,)."""
        return np.array([self._numerator(each, row_of(y, i)) for i, each in enumerate(eta)])

    def posterior(self, eta, y):
        """Return grad A_y, shape (n, D)."""
        return row_gradient(lambda points: self.numerator(points, y), eta)

    def both(self, eta, y):
        """Return A_y and grad A_y."""
        return self.numerator(eta, y), self.posterior(eta, y)

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

        mean, covariance = jax.grad(log_partition), jax.hessian(log_partition)
        jacobian = _jacobian(natural_parameters)

        def against(theta, x, slopes):
            return slopes @ natural_parameters(theta, x)

        def total_against(theta, X, slopes):
            if X is None:
                return slopes.sum(axis=0) @ natural_parameters(theta, None)
            return jax.vmap(against, in_axes=(None, 0, 0))(theta, X, slopes).sum()

        def values(theta, x):
            eta = natural_parameters(theta, x)
            return eta, log_partition(eta)

        def complete_loss(theta, X, statistics, weights):
            eta, partition = _rows(lambda x: values(theta, x), X)
            return weights @ (partition - (statistics * eta).sum(axis=1))

        def second(theta, X, weights, thetas, factors):
            def row(x):
                eta = natural_parameters(theta, x)
                means = [mean(natural_parameters(each, x) * factor) for each, factor in zip(thetas, factors)]
                return mean(eta), jacobian(theta, x), covariance(eta), means

            return second_order(weights, *_rows(row, X))

        # what is needed together is one function: calling costs as much as computing
        self._values = Batched(values)
        self._second = jax.jit(second)
        self._complete = jax.jit(jax.value_and_grad(complete_loss))
        self._eta = Batched(natural_parameters)
        self._jacobian = Batched(jacobian)
        self._curvature = Batched(jax.hessian(against))
        self._bend = jax.jit(jax.hessian(total_against))
        self._partition = Batched(log_partition)
        self._mean = Batched(mean)
        self._covariance = Batched(covariance)
        self._numerator = Batched(log_numerator)
        self._both = Batched(jax.value_and_grad(log_numerator))
        self._posterior = Batched(jax.grad(log_numerator))
        self._posterior_covariance = Batched(jax.hessian(log_numerator))

    def eta(self, rows, X):
        """Return eta of every row's own theta, shape (n, D)."""
        return self._eta(len(rows), rows, X)

    def jacobian(self, rows, X):
        """Return d eta / d theta, shape (n, D, p)."""
        return self._jacobian(len(rows), rows, X)

    def curvature(self, rows, X, slopes):
        """Return the Hessians of <slopes, eta> in theta, shape (n, p, p)."""
        return self._curvature(len(rows), rows, X, slopes)

    def complete(self, theta, X, statistics, weights):
        """Return E[A - <S, eta>] and its gradient in theta, shape (p,)."""
        value, gradient = _in_double(self._complete, theta, X, statistics, weights)
        return float(value), gradient

    def bend(self, theta, X, slopes):
        """Return the Hessian of the sum of all rows' <slopes, eta(theta)>, shape (p, p)."""
        return _in_double(self._bend, theta, X, slopes)

    def partition(self, eta):
        """Return A, shape (n,)."""
        return self._partition(len(eta), eta)

    def mean(self, eta):
        """Return grad A, shape (n, D)."""
        return self._mean(len(eta), eta)

    def values(self, rows, X):
        """Return eta and A."""
        return self._values(len(rows), rows, X)

    def second(self, theta, X, weights, thetas, factors):
        """Return `emmd.models.latent.sums.second_order` at theta, and at thetas with factors of eta."""
        return _in_double(self._second, theta, X, weights, thetas, factors)

    def covariance(self, eta):
        """Return hess A, shape (n, D, D)."""
        return self._covariance(len(eta), eta)

    def numerator(self, eta, y):
        """Return A_y, shape (n,)."""
        return self._numerator(len(eta), eta, y)

    def posterior(self, eta, y):
        """Return grad A_y, shape (n, D)."""
        return self._posterior(len(eta), eta, y)

    def both(self, eta, y):
        """Return A_y and grad A_y from one evaluation."""
        return self._both(len(eta), eta, y)

    def posterior_covariance(self, eta, y):
        """Return hess A_y, shape (n, D, D)."""
        return self._posterior_covariance(len(eta), eta, y)


class Batched:
    """A function of one row, for all rows: compiled once for each shape, in double precision.

    Parameters
    ----------
    function : callable
        Of arrays, or trees of them, of one row; it can be traced by JAX.
    """

    def __init__(self, function: Callable):
        self.function = function
        self._compiled: dict = {}

    def __call__(self, n: int, *arguments: Any) -> Any:
        """Return the values for n rows; an argument whose rows are the same, or None, counts as one row."""
        import jax

        ones = [One.of(each) for each in arguments]
        axes = tuple(None if one else 0 for one in ones)
        values = [one.value if one else each for one, each in zip(ones, arguments)]
        with jax.enable_x64(True):
            if not any(axis == 0 for axis in axes):
                found = self._of(axes, lambda: self.function)(*values)
                return jax.tree.map(lambda each: _repeated(each, n), found)
            found = self._of(axes, lambda: jax.vmap(self.function, in_axes=axes))(*values)
            return jax.tree.map(lambda each: np.asarray(each, dtype=np.float64), found)

    def _of(self, axes, make):
        import jax

        if axes not in self._compiled:
            self._compiled[axes] = jax.jit(make())
        return self._compiled[axes]


def _in_double(compiled, *arguments):
    """Return the arrays that a compiled function makes of arrays, in double precision."""
    import jax

    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, compiled(*arguments))


def _rows(function, X):
    """Return a function's values for all rows of X, of which None has one."""
    import jax

    return jax.tree.map(lambda each: each[None], function(None)) if X is None else jax.vmap(function)(X)


def _jacobian(function):
    """Return d function / d theta in the mode that takes fewer passes."""
    import jax

    def jacobian(theta, x):
        few = len(jax.eval_shape(function, theta, x)) < len(theta)
        return (jax.jacrev if few else jax.jacfwd)(function)(theta, x)

    return jacobian


def _repeated(value, n):
    value = np.asarray(value, dtype=np.float64)
    return np.broadcast_to(value, (n, *value.shape))


def in_double(function: Callable | None) -> Callable | None:
    """Return a user's function inside which JAX computes in double precision; None stays None."""
    if function is None:
        return None

    @wraps(function)
    def called(*arguments):
        if "jax" not in sys.modules:
            return function(*arguments)
        import jax

        with jax.enable_x64(True):
            return function(*arguments)

    return called


def untraceable_errors() -> tuple:
    """Return what JAX raises for a function that it cannot trace, such as one written with NumPy."""
    try:
        import jax
    except ImportError:
        return ()
    return (
        jax.errors.TracerArrayConversionError,
        jax.errors.ConcretizationTypeError,
        jax.errors.TracerBoolConversionError,
    )


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
    try:
        with jax.enable_x64(True):
            eta = jax.eval_shape(natural, theta, x)
            jax.eval_shape(partition, eta)
            jax.eval_shape(numerator, eta, y)
    except untraceable_errors():
        return ComplexSteps(*functions)
    return Automatic(*functions)


def batched(function: Callable, n: int, *arguments: Any) -> np.ndarray:
    """Return a user's function of one row for all rows, shape (n, ...).

    It is compiled where JAX can trace it, else called for one row at a time.

    Parameters
    ----------
    function : callable
    n : int
        Rows.
    *arguments : array, tree of arrays, One or None
    """
    try:
        return _compiled(function)(n, *arguments)
    except (ImportError, *untraceable_errors()):
        rows = (
            [each.value if isinstance(each, One) else row_of(each, i) for each in arguments] for i in range(n)
        )
        return np.array([function(*row) for row in rows], dtype=float)


@lru_cache(maxsize=64)
def _compiled(function):
    return Batched(function)
