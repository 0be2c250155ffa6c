"""Derivatives by complex step from the density: the definition of the model, and nothing else."""

import numpy as np

_STEP = 1e-100


def row_derivatives(function, rows):
    """Return the derivatives of a function of rows, shape (n, B): ``Im f(row + ih) / h``.

    With h = 1e-100 they are exact to rounding: nothing is subtracted.
    """
    columns = []
    for j in range(rows.shape[1]):
        shifted = rows.astype(complex)
        shifted[:, j] += 1j * _STEP
        columns.append(function(shifted).imag / _STEP)
    return np.stack(columns, axis=1)


def row_losses(problem, rows):
    """Return -log p(y | x) for every row of predictors, real or complex, shape (n,)."""
    eta = problem.model.natural_parameters(problem.data, rows)
    return natural_losses(problem, eta)


def natural_losses(problem, eta):
    """Return l_i(eta_i) = A(eta_i) - A_y(eta_i), shape (n,)."""
    model = problem.model
    return model.log_partition(eta) - model.log_numerator(problem.data, eta)


def complex_step_gradient(problem, theta):
    """Return grad L(theta) from the complex step, shape (p,).

    Parameters
    ----------
    problem : emmd.Problem
    theta : ndarray of shape (p,)

    Returns
    -------
    ndarray of shape (p,)
        Shares only the sum over rows with the kernels' gradient.
    """
    rows = problem.model.predictor_rows(problem.data, theta)
    slopes = row_derivatives(lambda point: row_losses(problem, point), rows)
    gradient = problem.model.pull_back(problem.data, problem.weights[:, None] * slopes)
    return gradient + penalty_gradient(problem.model, theta)


def penalty_gradient(model, theta):
    """Return the gradient of the model's ridge penalty, shape (p,), by complex steps of its value."""
    return np.array([np.imag(model.penalty(theta + 1j * _STEP * e)) / _STEP for e in np.eye(len(theta))])


def pull_back_statistics(problem, theta, mean):
    """Return E[J(x; theta)' mean], J the derivative of eta in theta, for statistics of shape (n, D)."""
    rows = problem.model.predictor_rows(problem.data, theta)

    def inner(point):
        return np.einsum("nd,nd->n", mean, problem.model.natural_parameters(problem.data, point))

    slopes = problem.weights[:, None] * row_derivatives(inner, rows)
    return problem.model.pull_back(problem.data, slopes)


def natural_gradient(problem, theta):
    """Return eta(x; theta) and grad l(eta) for every row, both of shape (n, D)."""
    eta = problem.model.natural_parameters(problem.data, problem.model.predictor_rows(problem.data, theta))
    return eta, row_derivatives(lambda point: natural_losses(problem, point), eta)
