"""The rounding error of a loss: what two losses may differ by before one of them counts as larger.

An average over n rows is summed in blocks of 256 rows, vectorised at least two
wide, then over blocks and chunks: a term passes at most about min(n, 128) + 16 + n / 4096
additions, and a linear predictor of d features adds d + 2 roundings. What each
row contributes is the model's knowledge (`Model.loss_terms`).
"""

import math

import numpy as np

EPS = float(np.finfo(float).eps)

_LEAST = 16 * EPS
"""Times 1 + |loss| it is below every bound: 32 roundings at least of terms whose sum is the loss, twice."""


def depth(problem):
    """Return the number of roundings a term of an average passes, at most."""
    return min(problem.n_rows, 128) + 32 + problem.n_rows / 4096 + problem.model.n_features


def _mean_of_rows(data, model, theta):
    return data.weights @ model.loss_terms(data, theta)


def loss_rounding(problem, theta):
    """Return a bound of the rounding error of the marginal loss at theta: depth * eps * E[terms].

    It bounds that of the expected complete loss Q(theta | theta) too, whose terms are the same.

    Parameters
    ----------
    problem : emmd.Problem
        Its rows may lie elsewhere.
    theta : ndarray of shape (p,)
    """
    rows = problem.data.add_up(_mean_of_rows, problem.model, theta)
    # a ridge penalty is a sum of at most p products of four factors
    penalty = (8 + len(theta)) * abs(problem.model.penalty(theta))
    return float(EPS * (depth(problem) * rows + penalty))


def exceeds(problem, theta, loss, bound):
    """Return whether a loss at theta is above a loss nearby by more than rounding; NaN and infinity are.

    The bound of the rounding is evaluated where the losses leave a doubt, so that hardly a step pays for it.

    Parameters
    ----------
    problem : emmd.Problem
    theta : ndarray of shape (p,)
    loss, bound : float
        The marginal loss, or an expected complete one, at theta and at the other point.
    """
    if loss <= bound + _LEAST * (1.0 + abs(bound)):
        return False
    if not math.isfinite(loss):
        return True
    with np.errstate(all="ignore"):
        # both losses are rounded
        return not loss <= bound + 2.0 * loss_rounding(problem, theta)
