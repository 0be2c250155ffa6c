"""A single expert without a gate: the generalised linear model that a mixture has to beat."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.experiments.snr.plan.held_out import CLASSES, class_probabilities
from emmd.rows.design import Design
from emmd.rows.weighted_rows import Rows


@dataclass(frozen=True)
class OneExpert:
    """A fitted generalised linear model.

    Attributes
    ----------
    family : Family
    coef : ndarray of shape (m, d)
    dispersion : float or None
    """

    family: Any
    coef: np.ndarray
    dispersion: float | None

    @property
    def n_params(self):
        """Number of fitted numbers."""
        return self.coef.size + (self.dispersion is not None)

    def _predictors(self, X):
        linear = X @ self.coef.T
        if self.dispersion is None:
            return linear
        return np.column_stack([linear, np.full(len(X), self.dispersion)])

    def loss(self, X, y):
        """Return the average negative log-likelihood, nats per row."""
        return -float(np.mean(self.family.log_density(y, self._predictors(X))))

    def accuracy(self, X, y):
        """Return the share of rows whose most probable class is theirs."""
        classes = class_probabilities(self.family, self._predictors(X))
        return float(np.mean(classes.argmax(axis=1) == y))


def fit_one(model, X, y):
    """Fit one expert of a mixture's family, with its ridge, to all rows.

    Parameters
    ----------
    model : MixtureOfExperts
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)

    Raises
    ------
    ArithmeticError
        When the fit is not solved to 1e-13.
    """
    family, weights = model.family, np.full(len(X), 1.0 / len(X))
    start = np.zeros((family.n_linear, X.shape[1]))
    rows = Rows(Design(X, weights), family.statistics(y), weights)
    fitted = family.fit(rows, start, **model.fit_options)
    coef, dispersion, residual, _ = fitted
    if not residual <= 1e-13:
        raise ArithmeticError(f"one expert could not be fitted: its residual is {residual:.1e}")
    return OneExpert(family, coef, dispersion)


def scores_of_one(model, train, test):
    """Return losses, BIC and accuracy of one expert, by name.

    Parameters
    ----------
    model : MixtureOfExperts
    train, test : tuple of (X, y)
    """
    one = fit_one(model, *train)
    n = len(train[1])
    loss = one.loss(*train)
    scores = {
        "train_loss": loss,
        "test_loss": one.loss(*test),
        "bic": 2.0 * n * loss + one.n_params * np.log(n),
    }
    if model.family.name in CLASSES:
        scores["test_accuracy"] = one.accuracy(*test)
    return scores
