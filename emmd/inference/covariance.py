"""Covariance matrices of a fit's parameters, in the user's units and with their names."""

from typing import Any

import numpy as np

from emmd.core.checks import require_finite
from emmd.core.problem import Problem
from emmd.estimators.parameters import parameter_jacobian
from emmd.inference.order import without_prior
from emmd.inference.terms import estimated, labelled, values


def named_covariance(estimator: Any, spread: np.ndarray) -> Any:
    """Return the covariance of the estimated parameters, by the delta method.

    Parameters
    ----------
    estimator : fitted estimator
    spread : ndarray of shape (p, p)
        Covariance of theta.

    Returns
    -------
    pandas.DataFrame
    """
    from pandas import DataFrame

    rows = estimated(estimator)
    slopes = values(parameter_jacobian(estimator._model, estimator._units, estimator._theta), rows)
    index = labelled(rows)
    return DataFrame(slopes @ spread @ slopes.T, index=index, columns=index)


def sandwich(
    problem: Problem, theta: np.ndarray, total: float, bread: np.ndarray, groups: np.ndarray | None = None
) -> np.ndarray:
    """Return the robust covariance of theta, H^-1 (sum of squared scores) H^-1 (Huber 1967, White 1982).

    Parameters
    ----------
    problem : Problem
        Of a mixture of experts.
    theta : ndarray of shape (p,)
    total : float
        Sum of the weights; a row of weight 2 counts as two rows.
    bread : ndarray of shape (p, p)
        The inverse of the observed information.
    groups : ndarray of int of shape (n,), optional
        Rows of one group may depend on each other: their scores are added up before they are squared.
    """
    model, data = without_prior(problem)
    weights = total * problem.weights
    with np.errstate(all="ignore"):
        scores = model.row_gradients(data, theta)
        if groups is None:
            meat = scores.T @ (weights[:, None] * scores)
        else:
            sums = np.zeros((groups.max() + 1, len(theta)))
            np.add.at(sums, groups, weights[:, None] * scores)
            meat = sums.T @ sums
        covariance = bread @ meat @ bread
    require_finite("X, y and sample_weight", "robust covariance", covariance)
    return covariance
