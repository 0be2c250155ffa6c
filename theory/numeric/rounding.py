"""Bounds of rounding errors: how far the numerics can be trusted, said before anything is compared.

Those of losses and the depth of sums are the core's, which compares losses too.
"""

import numpy as np

from emmd.core.rounding import EPS, depth, loss_rounding

__all__ = ["EPS", "depth", "gradient_rounding", "inner_rounding", "loss_rounding"]


def gradient_rounding(problem, theta):
    """Return a bound of the rounding error of every entry of grad L or of a dual step, shape (p,).

    Two sources: the sum itself, depth * eps * E[|x_j| |term|], and what the
    roundings of predictors and log joints carry into each term.
    """
    _, terms, carried = problem.model.rounding_rows(problem.data, theta)
    rows = problem.weights[:, None] * (depth(problem) * terms + carried)
    # |hess R| |theta| bounds the terms of a ridge penalty's gradient
    penalty = (8 + len(theta)) * np.abs(problem.model.penalty_hessian(theta)) @ np.abs(theta)
    return EPS * (np.abs(problem.model.absolute_pull_back(problem.data, rows)) + penalty)


def inner_rounding(problem, residual):
    """Return what an inner residual, relative to features and score, is in each gradient entry, (p,)."""
    model, data = problem.model, problem.data
    return residual * model.parameter_scale(data) * model.score_size(data)
