"""The order of a fit's experts: the same from every start, and in all units of features and target."""

from typing import Any

import numpy as np

from emmd.models.conjugate_prior import ConjugatePrior

_DIGITS = 6
"""Runs that meet one optimum agree in so many digits of what is compared here."""


def without_prior(problem: Any) -> tuple[Any, Any]:
    """Return a problem's mixture and its data, without the pseudo-observations that there may be."""
    if isinstance(problem.model, ConjugatePrior):
        return problem.model.model, problem.data.data
    return problem.model, problem.data


def canonical_order(problem: Any, theta: np.ndarray) -> np.ndarray:
    """Return the experts in the order in which an estimator reports them.

    Parameters
    ----------
    problem : Problem
        Of a `MixtureOfExperts`, or of one with a prior.
    theta : ndarray of shape (p,)

    Returns
    -------
    ndarray of int, shape (K,)
        The largest first: by the share of the rows that they take (the mean of the responsibilities), which
        no change of units alters. Among equal shares the one with the least mean predictor comes first, then
        the one whose predictor varies least.
    """
    model, data = without_prior(problem)
    shares = model.posterior(data, theta)[1] @ problem.weights
    predictors = model.predictors(data.designs, theta)[0]
    means = np.array([problem.weights @ part for part in predictors])
    spreads = np.array([problem.weights @ part**2 for part in predictors])
    keys = np.column_stack([-shares, means, spreads])
    size = np.abs(keys).max(axis=0)
    keys = np.round(keys / np.where(size > 0, size, 1.0), _DIGITS)
    return np.lexsort(keys.T[::-1])
