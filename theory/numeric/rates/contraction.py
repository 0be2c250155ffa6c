"""The sharp observation of a rate: the spectral radius of an algorithm's own map at the optimum."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator, eigs

from emmd.core.checks import DomainError, real_array, require_finite
from emmd.core.loop.algorithm import Algorithm
from emmd.core.loop.fixed_point import mapped
from emmd.core.loop.solve import make_algorithm
from emmd.core.problem import Problem, required_problem
from emmd.fits.pencil import reduced, solvable_at
from emmd.theory.numeric.bounds.rounding import inner_rounding
from emmd.theory.numeric.derivatives.jacobian import AlgorithmMap, differentiate, directional

DISPLACEMENT = 4e-4
"""Displacement in the root mean square of a linear predictor, relative to its natural curvature."""

_DENSE = 120

_SHARP = 1e-6

_HALVINGS = 40

_OTHERS = (0.1, 10.0, 0.01)


@dataclass(frozen=True)
class Contraction:
    """Spectral radius of a map at a fixed point.

    Attributes
    ----------
    value : float
    error : float
        Estimate of the absolute error.
    eigenvalues : ndarray
        All p eigenvalues of the Jacobian when p is small, else the few largest; complex, by modulus.
    """

    value: float
    error: float
    eigenvalues: np.ndarray


def natural_basis(problem, theta):
    """Return coordinates in which a unit displacement is natural, and what takes a change to them.

    Any basis leaves the eigenvalues of the Jacobian unchanged; a natural one
    keeps truncation and rounding balanced when features or blocks differ in scale.

    Returns
    -------
    basis : ndarray of shape (p, q)
        Columns with unit complete information; q = p less the number of gauge directions.
    inverse : ndarray of shape (q, p)
        ``inverse @ basis`` is the identity; gauge directions are taken to 0.
    """
    complete = problem.complete_hessian(theta)
    quotient = problem.quotient(theta, complete)
    [within] = reduced(quotient, complete)
    scale = np.sqrt(np.diag(within))
    root = np.linalg.cholesky(within / np.outer(scale, scale))
    basis = np.linalg.inv(root).T / scale[:, None]
    if len(within) == len(complete):
        return basis, np.linalg.inv(basis)
    basis = quotient @ basis
    return basis, basis.T @ complete


def contraction(
    problem: Problem | Callable[[np.ndarray], ArrayLike],
    theta: ArrayLike,
    method: str | Algorithm = "em",
    step_size: float | str = 1.0,
    inner_steps: int = 1,
    **options: Any,
) -> Contraction:
    """Measure the local contraction factor of an algorithm from evaluations of its own map.

    Parameters
    ----------
    problem : emmd.Problem or callable
        A problem, or any map ``(p,) -> (p,)``, which is then the map that is looked at.
    theta : array_like of shape (p,)
        A fixed point of the map, i.e. an optimum.
    method, step_size, inner_steps, **options
        As for `emmd.minimize`; of a problem only.

    Returns
    -------
    Contraction
        By central differences with displacement 4e-4, extrapolated; by ARPACK on
        directional differences when p exceeds 120.

    Raises
    ------
    ValueError
        For an unknown method.
    ArithmeticError
        If the map cannot be evaluated near theta.
    """
    if callable(problem) and not inspect.isclass(problem):
        return _of_map(problem, theta)
    if isinstance(method, str) and method == "gradient_em":
        options = {"inner_steps": inner_steps, **options}
    algorithm = make_algorithm(method, step_size=step_size, **options)
    theta = required_problem(problem)._check(theta)
    names = " and ".join(["theta", *(field.name for field in fields(algorithm))])
    with solvable_at(names), np.errstate(all="ignore"):
        basis = natural_basis(problem, theta)
        displacement = _displacement(problem, theta, basis[0])
        advance = AlgorithmMap(problem, algorithm)

        def noise():
            # what an M-step leaves moves the image, the more the flatter the loss is
            return np.linalg.norm(np.abs(basis[0]).T @ inner_rounding(problem, advance.residual, theta))

        return _measured(advance, theta, basis, displacement, names, noise)


def _of_map(function, x):
    """Return the contraction of a map, in coordinates relative to 1 + |x|."""
    x = real_array("theta", x, 1)
    scale = 1.0 + np.abs(x)
    with np.errstate(all="ignore"):
        basis = np.diag(scale), np.diag(1.0 / scale)
        return _measured(lambda point: mapped(function, point, "problem"), x, basis, DISPLACEMENT, "theta")


def _measured(advance, theta, basis, displacement, names, noise=lambda: 0.0):
    solve = _dense if len(theta) <= _DENSE else _iterative
    try:
        eigenvalues, error = solve(advance, theta, basis, displacement, noise)
    except np.linalg.LinAlgError:
        # a map that is not finite next to theta has no Jacobian
        eigenvalues, error = np.full(1, np.nan), np.nan
    require_finite(names, "eigenvalues", eigenvalues, error)
    eigenvalues = eigenvalues[np.argsort(np.abs(eigenvalues))]
    return Contraction(float(np.abs(eigenvalues[-1])), error, eigenvalues)


def _displacement(problem, theta, basis):
    """Return the displacement, halved until all displaced points lie in the model's domain."""
    displacement, inside = DISPLACEMENT, problem.model.in_domain
    for _ in range(_HALVINGS):
        shifts = 4.0 * displacement * basis.T
        if all(inside(theta + shift) and inside(theta - shift) for shift in shifts):
            break
        displacement *= 0.5
    return displacement


def _dense(advance, theta, basis, displacement, noise):
    jacobian = differentiate(advance, theta, basis, displacement, noise)
    for factor in _OTHERS:
        # where the map bends sharply, or is not known to many digits, another displacement serves better
        if jacobian.error <= _SHARP:
            break
        try:
            other = differentiate(advance, theta, basis, factor * displacement, noise)
        except DomainError:
            continue
        jacobian = min(jacobian, other, key=lambda each: each.error)
    values, left, right = eigvals_with_condition(jacobian.matrix)
    # no two matrices differ in an eigenvalue by more than the sum of their norms
    norms = 2.0 * float(np.linalg.norm(jacobian.matrix, 2)) + jacobian.error
    return values, min(jacobian.error * left * right, norms)


def eigvals_with_condition(matrix):
    """Return eigenvalues and the two factors of the worst eigenvalue condition number (Bauer and Fike)."""
    values, vectors = np.linalg.eig(matrix)
    singular = np.linalg.svd(vectors, compute_uv=False)
    return values, float(singular[0]), float(1.0 / singular[-1])


def _iterative(advance, theta, coordinates, displacement, noise):
    basis, inverse = coordinates

    def radius(displacement):
        q = basis.shape[1]
        operator = LinearOperator(
            (q, q), dtype=float, matvec=lambda u: _apply(advance, theta, basis, inverse, u, displacement)
        )
        start = np.random.default_rng(0).standard_normal(q)
        return eigs(operator, k=4, which="LM", v0=start, return_eigenvectors=False)

    # nothing is extrapolated
    fine, coarse = radius(0.1 * displacement), radius(0.2 * displacement)
    return fine, float(abs(np.abs(fine).max() - np.abs(coarse).max()) + 1e-9 + 10.0 * noise() / displacement)


def _apply(advance, theta, basis, inverse, u, displacement):
    size = np.linalg.norm(u)
    return inverse @ directional(advance, theta, basis @ (u / size), displacement) * size
