"""Predicted local rates: the spectral radius of an algorithm's linearisation, from Hessians."""

import numpy as np

from emmd.core.solve import make_algorithm


def predicted_factors(problem, theta, method="em", step_size=1.0, **options):
    """Return the eigenvalues of the linearised map at theta, shape (p,); see `predicted_rate`."""
    algorithm = make_algorithm(method, step_size=step_size, **options)
    complete, missing = problem.informations(theta)
    return algorithm.linear_factors(complete, complete - missing, problem.expected_information(theta))


def predicted_rate(problem, theta, method="em", step_size=1.0, inner_steps=1, **options):
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
    ValueError
        For an unknown method, or one without a constant linearisation.
    """
    if method == "gradient_em":
        options = {"inner_steps": inner_steps, **options}
    return float(np.abs(predicted_factors(problem, theta, method, step_size, **options)).max())


def best_step(eigenvalues):
    """Return the mirror-descent step with the best local rate, 2 / (2 - lambda_max - lambda_min).

    Parameters
    ----------
    eigenvalues : ndarray of shape (p,)
        Of the missing information at a strict local minimum.
    """
    return 2.0 / (2.0 - eigenvalues.max() - eigenvalues.min())
