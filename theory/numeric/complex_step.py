"""Derivatives by complex step from the model's log joint density: the definition, and nothing else."""

import numpy as np

_STEP = 1e-30


def log_sum_exp(u, v):
    """Return log(e^u + e^v) for complex arrays, without overflow."""
    larger = np.where(u.real >= v.real, u, v)
    return larger + np.log(np.exp(u - larger) + np.exp(v - larger))


def row_slopes(problem, theta):
    """Return the derivatives of each row's marginal loss in (a, b), two arrays of shape (n,).

    ``Im l(a + ih) / h`` with h = 1e-30 is the derivative to rounding: nothing is subtracted.
    """
    a, b = (part.astype(complex) for part in problem.model.predictors(problem.data, theta))
    y, joint = problem.data.y, problem.model.log_joint
    shifted = ((a + 1j * _STEP, b), (a, b + 1j * _STEP))
    return tuple(-log_sum_exp(joint(u, v, y, 1), joint(u, v, y, -1)).imag / _STEP for u, v in shifted)


def complex_step_gradient(problem, theta):
    """Return grad L(theta) from the complex step, shape (p,).

    Parameters
    ----------
    problem : emmd.Problem
        With a symmetric model.
    theta : ndarray of shape (p,)

    Returns
    -------
    ndarray of shape (p,)
        Summed by NumPy; shares no code with the kernels.
    """
    parts = [problem.X.T @ (problem.weights * slope) for slope in row_slopes(problem, theta)]
    return problem.model.unit * np.concatenate(parts)
