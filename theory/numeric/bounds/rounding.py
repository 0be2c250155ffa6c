"""Bounds of rounding errors: how far the numerics can be trusted, said before anything is compared.

Those of losses and the depth of sums are the core's, which compares losses too.
"""

import numpy as np

from emmd.core.numerics.rounding import EPS, depth, loss_rounding
from emmd.theory.models import known
from emmd.theory.models.known import absolute_pull_back, natural_rounding, slope_rounding

__all__ = [
    "EPS",
    "depth",
    "divergence_rounding",
    "gradient_rounding",
    "inner_rounding",
    "linear_term_rounding",
    "loss_rounding",
    "natural_loss_rounding",
    "pulled_back_rounding",
]


def gradient_rounding(problem, theta):
    """Return a bound of the rounding error of every entry of grad L or of a dual step, shape (p,).

    Two sources: the sum itself, depth * eps * E[|x_j| |term|], and what the
    roundings of predictors and log joints carry into each term.
    """
    terms, carried = slope_rounding(problem.model, problem.data, theta)
    rows = problem.weights[:, None] * (depth(problem) * terms + carried)
    # |hess R| |theta| bounds the terms of a ridge penalty's gradient
    penalty = (8 + len(theta)) * np.abs(problem.model.penalty_hessian(theta)) @ np.abs(theta)
    return EPS * (np.abs(absolute_pull_back(problem.model, problem.data, rows)) + penalty)


def inner_rounding(problem, residual, theta):
    """Return what an inner residual, relative to a gradient's terms at theta, is in each of its entries."""
    return residual * problem.model.gradient_scale(problem.data, theta)


def divergence_rounding(problem, u, v, divergence):
    """Return a bound of the rounding error of D_A(u, v), whose value is `divergence`.

    Where the model does not say, D_A is added up from terms of the size of the losses.
    """
    bound = known.divergence_rounding(problem, u, v, divergence)
    return loss_rounding(problem, u) + loss_rounding(problem, v) if bound is None else bound


def natural_loss_rounding(problem, theta, eta, sizes):
    """Return a bound of the rounding error of E[A(eta) - A_y(eta)], the loss from natural parameters.

    Parameters
    ----------
    problem : emmd.Problem
    theta : ndarray of shape (p,)
    eta : ndarray of shape (n, D)
    sizes : ndarray of shape (n, D)
        |grad A| + |grad A_y|.
    """
    model = problem.model
    of_eta, _ = natural_rounding(model, problem.data, theta)
    maps = np.abs(model.log_partition(eta)) + np.abs(model.log_numerator(problem.data, eta))
    rows = 8.0 * (1.0 + maps) + (sizes * (8.0 * np.abs(eta) + of_eta)).sum(axis=1)
    return float(EPS * (depth(problem) * problem.weights @ (maps + rows)))


def pulled_back_rounding(problem, theta, mean, error):
    """Return a bound of the rounding error of E[J(x; theta)' mean], shape (p,).

    Parameters
    ----------
    problem : emmd.Problem
    theta : ndarray of shape (p,)
    mean : ndarray of shape (n, D)
        What is pulled back, its moduli or the sum of the moduli of its terms.
    error : ndarray of shape (n, D)
        What it errs by, in units of the machine precision.
    """
    model, data = problem.model, problem.data
    rows = model.predictor_rows(data, theta)
    total = depth(problem) * np.abs(mean) + error
    slopes = np.einsum("ndb,nd->nb", np.abs(model.natural_jacobian(data, rows)), total)
    return EPS * absolute_pull_back(model, data, problem.weights[:, None] * slopes)


def linear_term_rounding(problem, slope, change, of_change, of_slope):
    """Return a bound of the rounding error of E<grad l(eta_v), eta_u - eta_v>.

    Parameters
    ----------
    problem : emmd.Problem
    slope, change : ndarray of shape (n, D)
        grad l(eta_v) and eta_u - eta_v.
    of_change, of_slope : ndarray of shape (n, D)
        Bounds of their own errors, in units of the machine precision.
    """
    products = depth(problem) * np.abs(slope * change)
    carried = of_slope * np.abs(change) + np.abs(slope) * of_change
    return float(EPS * (problem.weights @ (products + carried).sum(axis=1)))
