"""EM's predicted rate for many parameters: no matrix is formed, only gradients are evaluated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import ArpackError, LinearOperator, cg, eigsh

from emmd.core.problem import Problem, required_problem
from emmd.theory.numeric.derivatives.jacobian import directional

_DISPLACEMENT = 1e-4
"""In units of the parameters' scale: two rules of this and twice it are extrapolated."""
_TOL = 1e-11


@dataclass(frozen=True)
class MatrixFreeRate:
    """The largest eigenvalue of the missing information M.

    Attributes
    ----------
    value : float
    error : float
        What is left of I_mis v - value I_com v, in the metric of I_com: some eigenvalue is as near.
    products : int
        Products of a Hessian with a vector; each costs four gradients.
    """

    value: float
    error: float
    products: int


def matrix_free_rate(problem: Problem, theta: ArrayLike) -> MatrixFreeRate:
    """Predict EM's rate at a strict local minimum from products with I_com and hess L alone.

    Both are differences of gradients: of Q(. | theta) with the posterior at theta held, and of the loss.
    Lanczos' method looks for the largest lambda with (I_com - hess L) v = lambda I_com v; conjugate gradients
    solve with I_com.

    Parameters
    ----------
    problem : emmd.Problem
    theta : array_like of shape (p,)
        p at least 3, and no gauge directions.

    Returns
    -------
    MatrixFreeRate

    Raises
    ------
    ArithmeticError
        Where I_com is not positive definite, so that the inner solver does not converge, or I_mis is 0.
    """
    point = required_problem(problem)._check(theta)
    products, p = _Products(problem, point), len(point)

    def operator(product):
        return LinearOperator((p, p), matvec=product, dtype=float)

    metric = {"M": operator(products.complete), "Minv": operator(products.solve)}
    start = np.random.default_rng(0).standard_normal(p)
    try:
        values, vectors = eigsh(operator(products.missing), 1, which="LA", tol=1e-9, v0=start, **metric)
    except ArpackError as error:
        raise ArithmeticError(f"theta must be a point where I_mis is not 0, and finite: {error}") from None
    vector = vectors[:, 0]
    left = products.missing(vector) - values[0] * products.complete(vector)
    size = vector @ products.complete(vector)
    if not (size > 0.0 and np.isfinite(left).all()):
        raise ArithmeticError("theta must be a point where I_com is positive definite, and finite")
    bound = float(np.sqrt(max(left @ products.solve(left), 0.0) / size))
    return MatrixFreeRate(float(values[0]), bound, products.count)


class _Products:
    """Products of I_com and I_mis with vectors, in units of the parameters' scale."""

    def __init__(self, problem, theta):
        self.problem, self.theta, self.count = problem, theta, 0
        self.unit = problem.model.parameter_scale(problem.data)
        self.held = problem.responsibilities(theta)

    def complete(self, vector):
        """Return I_com vector."""
        return self._product(self._surrogate_gradient, vector)

    def missing(self, vector):
        """Return I_mis vector."""
        return self.complete(vector) - self._product(self.problem.gradient, vector)

    def solve(self, vector):
        """Return I_com^-1 vector."""
        found, failed = cg(LinearOperator((len(vector),) * 2, matvec=self.complete), vector, rtol=_TOL)
        if failed:
            raise ArithmeticError(
                "theta must be a point where I_com is positive definite: no solution with it"
            )
        return found

    def _surrogate_gradient(self, theta):
        return self.problem.model.surrogate_gradient(self.problem.data, self.held, theta)

    def _product(self, gradient, vector):
        self.count += 1
        size = np.linalg.norm(vector)
        if size == 0.0:
            return np.zeros_like(vector)
        direction = vector / size / self.unit
        fine, coarse = (directional(gradient, self.theta, direction, h * _DISPLACEMENT) for h in (1.0, 2.0))
        return size * (4.0 * fine - coarse) / 3.0 / self.unit
