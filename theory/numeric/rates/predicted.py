"""Predicted local rates: the spectral radius of an algorithm's linearisation, from Hessians."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import real_array, require_finite
from emmd.core.loop.algorithm import Algorithm
from emmd.core.loop.solve import make_algorithm
from emmd.core.problem import Problem, required_problem
from emmd.fits.pencil import reduced, solvable_at
from emmd.fits.saddle_free import complement


def predicted_factors(
    problem: Problem,
    theta: ArrayLike,
    method: str | Algorithm = "em",
    step_size: float | str = 1.0,
    **options: Any,
) -> np.ndarray:
    """Return the eigenvalues of the linearised map at theta, one for each direction but gauges."""
    problem = required_problem(problem)
    algorithm = make_algorithm(method, step_size=step_size, **options)
    complete, missing = problem.informations(theta)
    expected = problem.expected_information(theta)
    null = problem.model.null_directions(problem.data, problem._check(theta))
    complete, missing, expected = reduced(complement(null), complete, missing, expected)
    names = " and ".join(["theta", *(field.name for field in fields(algorithm))])
    with solvable_at(names), np.errstate(all="ignore"):
        factors = algorithm.linear_factors(complete, complete - missing, expected)
    flat = problem.n_params - problem.quotient(theta).shape[1] - null.shape[1]
    # where the loss alone is flat every map has the eigenvalue 1
    factors = np.delete(factors, np.argsort(np.abs(factors - 1.0))[:flat]) if flat else factors
    require_finite(names, "factors", factors)
    return factors


def predicted_rate(
    problem: Problem,
    theta: ArrayLike,
    method: str | Algorithm = "em",
    step_size: float | str = 1.0,
    inner_steps: int = 1,
    **options: Any,
) -> float:
    """Return the predicted local contraction factor of the iterates at a stationary point.

    Parameters
    ----------
    problem : emmd.Problem
    theta : array_like of shape (p,)
        A strict local minimum of the marginal loss.
    method : str or emmd algorithm
        ``em`` (largest eigenvalue of M), ``mirror_descent`` (max |1 - step (1 - lambda)|),
        ``gradient_descent`` (max |1 - step mu|), ``gradient_em``, or an algorithm object.
    step_size : float
    inner_steps : int
        Used by ``gradient_em`` only.
    **options
        Further fields of the algorithm.

    Returns
    -------
    float
        ``lim ||theta_{t+1} - theta*|| / ||theta_t - theta*||``; L - L* contracts by its square.

    Raises
    ------
    TypeError, ValueError
        For another object as problem, an unknown method, or one without a constant linearisation.
    ArithmeticError
        Where I_com is singular, or the factors overflow.
    """
    if isinstance(method, str) and method == "gradient_em":
        options = {"inner_steps": inner_steps, **options}
    return float(np.abs(predicted_factors(problem, theta, method, step_size, **options)).max())


def best_step(eigenvalues: ArrayLike) -> float:
    """Return the mirror-descent step with the best local rate, 2 / (2 - lambda_max - lambda_min).

    Parameters
    ----------
    eigenvalues : array_like of shape (p,)
        Of the missing information at a strict local minimum: below 1.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    eigenvalues = real_array("eigenvalues", eigenvalues, 1)
    if eigenvalues.max() >= 1.0:
        raise ValueError(
            f"eigenvalues must lie below 1, as they do at a strict local minimum, got {eigenvalues.max():g}"
        )
    return 2.0 / (2.0 - eigenvalues.max() - eigenvalues.min())
