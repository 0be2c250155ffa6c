"""The Jacobian of an algorithm's own map, from map evaluations only."""

from dataclasses import dataclass

import numpy as np

from emmd.core.checks import DomainError

_NOISE = 6.0


@dataclass(frozen=True)
class Jacobian:
    """A numerically differentiated Jacobian in given coordinates.

    Attributes
    ----------
    matrix : ndarray of shape (q, q)
        Jacobian in the coordinates theta = basis @ u, by central differences, extrapolated.
    error : float
        Estimate of its error in the spectral norm.
    """

    matrix: np.ndarray
    error: float


class AlgorithmMap:
    """``theta -> next theta`` of an algorithm without memory.

    Attributes
    ----------
    residual : float
        The largest that inner solvers left so far, relative to a gradient's terms.
    """

    def __init__(self, problem, algorithm):
        self.problem, self.algorithm, self.residual = problem, algorithm, 0.0

    def __call__(self, theta):
        """Return the next theta, or raise an ArithmeticError where there is none."""
        if not self.problem.model.in_domain(theta):
            name = self.problem.model.name
            raise DomainError(f"theta must lie in the domain of model {name}, got {theta}")
        step = self.algorithm.image(self.problem, theta)
        if step.failure is not None:
            raise ArithmeticError(
                f"the map of {self.algorithm.name} failed near theta: {step.failure.message}"
            )
        self.residual = max(self.residual, step.residual)
        return step.theta


def directional(advance, theta, direction, displacement):
    """Return the central difference of a map along one direction, shape (p,)."""
    shift = displacement * direction
    return (advance(theta + shift) - advance(theta - shift)) / (2.0 * displacement)


def directional_derivatives(advance, theta, basis, displacement):
    """Return the central differences of a map along each column of a basis, as columns, shape (p, p)."""
    return np.array([directional(advance, theta, column, displacement) for column in basis.T]).T


def differentiate(advance, theta, basis, displacement, noise=lambda: 0.0):
    """Differentiate a map at theta along the columns of a basis.

    Parameters
    ----------
    advance : callable
        The map, (p,) -> (p,).
    theta : ndarray of shape (p,)
    basis : pair of ndarray
        Shapes (p, q) and (q, p), see `natural_basis`: columns of the first are displaced by 1, 2 and 4
        displacements to both sides, the second takes changes to coordinates.
    displacement : float
    noise : callable
        Returns by how much an image that was asked for may be off, in coordinates.

    Returns
    -------
    Jacobian
        In basis coordinates, extrapolated to order 4. The error estimate is several times the difference of
        that rule and the same at twice the displacement, which exceeds the error of the better one, but a few
        draws of unknown noise may agree by chance. What the roundings of points and images alone leave is
        added, and what noise does: from an inner solver it may point the same way at all displacements.
    """
    basis, inverse = basis
    fine, middle, coarse = (
        directional_derivatives(advance, theta, basis, factor * displacement) for factor in (1.0, 2.0, 4.0)
    )
    better, other = (4.0 * fine - middle) / 3.0, (4.0 * middle - coarse) / 3.0
    size = np.linalg.norm(np.abs(inverse) @ np.abs(theta)) * np.sqrt(len(theta))
    # weights 4/3 and 1/3 of differences over 2 and 4 displacements, in every column
    rounding = (4.0 * np.finfo(float).eps * size + 1.5 * np.sqrt(basis.shape[1]) * noise()) / displacement
    error = float(_NOISE * np.linalg.norm(inverse @ (better - other), 2) + rounding)
    return Jacobian(inverse @ better, error)
