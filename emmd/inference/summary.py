"""One table of a fit: estimates, standard errors, z and intervals, by name."""

from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from emmd.core.checks import describe, real_array
from emmd.inference.terms import REFERENCE, labelled, terms


def summary_table(estimator: Any, level: float, covariance: Any) -> Any:
    """Return the table that `InferenceMethods.summary` describes."""
    from pandas import DataFrame

    rows = terms(estimator)
    estimates = np.array(
        [
            np.nan if row.remark == REFERENCE else getattr(estimator, f"{row.attribute}_")[row.where]
            for row in rows
        ]
    )
    free = np.array([row.estimated for row in rows])
    deviations = np.full(len(rows), np.nan)
    if covariance is not None:
        deviations[free] = _deviations(covariance, free.sum())
    positive = np.array([row.positive for row in rows])
    with np.errstate(all="ignore"):
        z = np.where(positive, np.nan, estimates / deviations)
        lower, upper = wald_interval(estimates, deviations, positive, level)
    return DataFrame(
        {
            "estimate": estimates,
            "standard error": deviations,
            "z": z,
            "p": 2.0 * ndtr(-np.abs(z)),
            "lower": lower,
            "upper": upper,
            "remark": [row.remark for row in rows],
        },
        index=labelled(rows),
    )


def _deviations(covariance, n_free):
    values = real_array("covariance", covariance, 2)
    if values.shape != (n_free, n_free):
        raise ValueError(
            f"covariance must be a table of the {n_free} estimated parameters, as covariance_ is, "
            f"got {describe(values)}"
        )
    return np.sqrt(np.maximum(np.diag(values), 0.0))


def wald_interval(
    estimates: np.ndarray, deviations: np.ndarray, positive: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return estimate +- z standard errors; for what is positive, of its logarithm.

    Parameters
    ----------
    estimates, deviations : ndarray of shape (m,)
    positive : ndarray of bool of shape (m,)
        Variances and the like.
    level : float
    """
    half = ndtri(0.5 + 0.5 * level) * deviations
    factor = np.exp(half / estimates)
    lower = np.where(positive, estimates / factor, estimates - half)
    return lower, np.where(positive, estimates * factor, estimates + half)
