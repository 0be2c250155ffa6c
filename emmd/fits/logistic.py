"""Logistic regressions with soft labels on the same rows: the M-steps of gates and of logistic experts."""

import numpy as np

from emmd.fits.newton import newton_by_values, newton_results, newton_together
from emmd.kernels.rows.reduce import shares, sum_rows
from emmd.kernels.solvers.logistic import (
    LOG_2,
    LOSS,
    derivatives_width,
    hessian_cost,
    logistic_rows,
    shared_solve_logistics,
    solve_logistics,
)
from emmd.rows.design import unpack_symmetric


def logistic_sums(design, labels, points, wanted):
    """Return loss, gradient and packed Hessian of each regression, as far as they are wanted.

    Parameters
    ----------
    design : Design
    labels : ndarray of shape (r, n)
    points : ndarray of shape (r, d)
    wanted : ndarray of int, shape (r,)
        See `emmd.kernels.solvers.logistic.logistic_rows`.

    Returns
    -------
    ndarray of shape (r, 1 + d + d (d + 1) / 2), or (r, 1 + d) when no Hessian is wanted
    """
    width = derivatives_width(design.n_features, wanted)
    arguments = design.XB, points, labels, design.weights, wanted
    return sum_rows(logistic_rows, design.n_rows, len(labels) * width, *arguments).reshape(-1, width)


def fit_logistics(design, labels, starts, sums):
    """Minimise the losses from starts where gradients and packed Hessians are known.

    Parameters
    ----------
    design : Design
    labels : ndarray of shape (r, n)
    starts : ndarray of shape (r, d)
    sums : ndarray of shape (r, d + d (d + 1) / 2)

    Returns
    -------
    list of NewtonResult
    """
    edges = shares(design.n_rows)
    solve = solve_logistics if len(edges) == 2 else shared_solve_logistics
    features = edges, design.XB, labels, design.weights, design.scale, design.crest
    solved = newton_results(*solve(*features, starts.ravel(), sums.ravel()))
    return [
        result if result.solved else _fit_by_values(design, labels[k : k + 1], result.x)
        for k, result in enumerate(solved)
    ]


def fit_from_sums(evaluate, design, starts, sums):
    """Minimise as `fit_logistics`, with the sums of `logistic_sums` from several processes.

    Parameters
    ----------
    evaluate : callable
        ``(points, wanted) -> ndarray``, see `logistic_sums`.
    design : SecondMoment
    """
    cost = hessian_cost(design.n_features)
    return newton_together(evaluate, starts, sums, design.scale, LOG_2, cost, design.crest, 1)


def _fit_by_values(design, labels, start):
    """Minimise one loss with a line search on values: for what slopes alone do not solve."""

    def evaluate(theta):
        (sums,) = logistic_sums(design, labels, theta[np.newaxis], np.array([LOSS]))
        d = design.n_features
        return sums[0], sums[1 : 1 + d], unpack_symmetric(sums[1 + d :], d)

    return newton_by_values(evaluate, start, design.scale, value_at_zero=LOG_2)
