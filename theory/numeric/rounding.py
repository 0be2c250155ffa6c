"""Bounds of rounding errors: how far the numerics can be trusted, said before anything is compared.

An average over n rows is summed in blocks of 256 rows, vectorised at least two
wide, then over blocks and chunks: a term passes at most about 128 + 16 + n / 4096
additions, and a linear predictor of d features adds d + 2 roundings.
"""

import numpy as np

EPS = np.finfo(float).eps


def depth(problem):
    """Return the number of roundings a term of an average passes, at most."""
    return 160 + problem.n_rows / 4096 + problem.model.n_features


def loss_rounding(problem, theta):
    """Return a bound of the rounding error of the marginal loss at theta.

    Parameters
    ----------
    problem : emmd.Problem
    theta : ndarray of shape (p,)

    Notes
    -----
    Each row's loss is within a few units of rounding of its terms: squares of
    y and a, and |b|; the bound is depth * eps * E[those terms].
    """
    a, b, y = _sizes(problem, theta)
    return float(depth(problem) * EPS * problem.weights @ _loss_terms(problem, a, b, y))


def _sizes(problem, theta):
    expert, gate = problem.model.split(theta)
    magnitude = np.abs(problem.X)
    return magnitude @ np.abs(expert), magnitude @ np.abs(gate), np.abs(problem.data.y)


def _loss_terms(problem, a, b, y):
    fit = (a + y) ** 2 if problem.model.has_density else a
    return 1.0 + b + fit


def gradient_rounding(problem, theta):
    """Return a bound of the rounding error of every entry of grad L or of a dual step, shape (p,).

    Two sources: the sum itself, depth * eps * E[|x_j| |term|], and the error of
    the posterior logit, (d + 8) eps (|b| + evidence |a y|), which reaches a term
    through its slope p (1 - p).
    """
    a, b, y = _sizes(problem, theta)
    p = problem.responsibilities(theta)
    slope = 4.0 * p * (1.0 - p)
    logit = b + _loss_terms(problem, a, b, y)
    per_row = depth(problem) * (1.0 + y + a) + (problem.model.n_features + 8) * (1.0 + y) * slope * logit
    each = EPS * (np.abs(problem.X).T @ (problem.weights * per_row))
    return np.abs(problem.model.unit) * np.tile(each, 2)


def inner_rounding(problem, residual):
    """Return what an inner residual, relative to the features' scale, is in each gradient entry, (p,)."""
    return residual * problem.model.unit * np.tile(problem.data.design.scale, 2)
