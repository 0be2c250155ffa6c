"""A real data set with rows held out, and what a fitted mixture says of them.

The estimators bring scikit-learn along: they are imported where they are needed, because every worker of
every sweep imports this file.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import logsumexp

from emmd.experiments.snr.plan.sample import Sample
from emmd.rows.information_bound import safe_step

CLASSES = ("categorical", "bernoulli")
"""Families whose targets are classes, so that there is an accuracy."""


@dataclass
class HeldOut(Sample):
    """A sample with test rows.

    Attributes
    ----------
    test_X : ndarray of shape (m, d)
    test_y : ndarray of shape (m,)
    """

    test_X: np.ndarray
    test_y: np.ndarray

    def ends(self, start, theta):
        """Return the scores at the end, and the number of parameters."""
        scores = {name: float(values[0]) for name, values in self.along(theta[None]).items()}
        n, p = self.problem.n_rows, self.problem.n_params
        bic = 2.0 * n * scores["train_loss"] + p * np.log(n)
        return scores | {"n_train": n, "n_test": len(self.test_y), "n_params": p, "bic": float(bic)}

    def along(self, thetas):
        """Return the scores of each iterate."""
        rows = [self.scores(theta) for theta in thetas]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def scores(self, theta):
        """Return losses in nats per row, without any penalty, and the test accuracy of classes."""
        from emmd.estimators.evaluate import expert_predictors, log_gate, log_joint

        model: Any = self.problem.model
        joint = log_joint(model, theta, self.test_X, self.test_y)
        scores = {
            "train_loss": self.problem.loss(theta) - model.penalty(theta),
            "test_loss": -float(np.mean(logsumexp(joint, axis=0))),
        }
        if model.family.name in CLASSES:
            predictors = expert_predictors(model, theta, self.test_X)
            experts = [class_probabilities(model.family, xi) for xi in predictors]
            mixed = np.einsum("kn,knc->nc", np.exp(log_gate(model, theta, self.test_X)), experts)
            scores["test_accuracy"] = float(np.mean(mixed.argmax(axis=1) == self.test_y))
        return scores

    def step_size(self, method, word):
        """Return the constant step with which no gradient step goes uphill."""
        return safe_step(self.problem.model, self.problem.data)


def class_probabilities(family, xi):
    """Return the probabilities of all classes, shape (n, C), for one expert's predictors."""
    mean = family.mean(family.natural(xi))
    if family.name == "bernoulli":
        return np.column_stack([1.0 - mean, mean])
    return np.column_stack([mean, 1.0 - mean.sum(axis=1)])
