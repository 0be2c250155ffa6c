"""A model's definition and its derivatives: three functions, complex steps, and nothing else of the model."""

from typing import Any

import numpy as np

from emmd.core.numerics.derivatives import gradient_at, row_gradient


class Definition:
    """The natural parameters, A and A_y of a model on data, with first derivatives exact to rounding.

    It shares no code with what a model overrides (E-step, M-step, gradients), so that one can be checked
    against the other.

    Parameters
    ----------
    model : Model
        Whose three functions take complex numbers.
    data : object
    """

    def __init__(self, model: Any, data: Any):
        self.model, self.data = model, data

    def eta(self, theta: np.ndarray) -> np.ndarray:
        """Return eta(x; theta) for every row, shape (n, D)."""
        return self.model.natural_parameters(self.data, self.model.predictor_rows(self.data, theta))

    def losses(self, eta: np.ndarray) -> np.ndarray:
        """Return l(eta) = A(eta) - A_y(eta) = -log p(y | x; eta), shape (n,)."""
        return self.model.log_partition(eta) - self.model.log_numerator(self.data, eta)

    def mean(self, eta: np.ndarray) -> np.ndarray:
        """Return grad A(eta), shape (n, D)."""
        return row_gradient(self.model.log_partition, eta)

    def slope(self, eta: np.ndarray) -> np.ndarray:
        """Return grad l(eta), shape (n, D)."""
        return row_gradient(self.losses, eta)

    def mean_and_slope(self, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `mean` and `slope`, bit for bit, from fewer evaluations."""

        def both(points):
            whole = self.model.log_partition(points)
            return np.stack([whole, whole - self.model.log_numerator(self.data, points)], axis=-1)

        gradients = row_gradient(both, eta)
        return gradients[:, 0], gradients[:, 1]

    def posterior(self, theta: np.ndarray) -> np.ndarray:
        """Return grad A_y(eta(x; theta)), the posterior means of S, shape (n, D)."""
        mean, slope = self.mean_and_slope(self.eta(theta))
        return mean - slope

    def row_slopes(self, rows: np.ndarray) -> np.ndarray:
        """Return the derivatives of -log p(y | x) in the predictors, both of shape (n, B)."""

        def composed(points):
            return self.losses(self.model.natural_parameters(self.data, points))

        return row_gradient(composed, rows)

    def pull_back(self, theta: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Return E[J(x; theta)' vectors], J the derivative of eta in theta, for vectors of shape (n, D)."""

        def inner(points):
            return np.einsum("nd,nd->n", vectors, self.model.natural_parameters(self.data, points))

        slopes = row_gradient(inner, self.model.predictor_rows(self.data, theta))
        return self.model.pull_back(self.data, self.data.weights[:, None] * slopes)

    def penalty_gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of the model's penalty, shape (p,), by complex steps of its value."""
        return gradient_at(self.model.penalty, theta)

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return grad L(theta), shape (p,)."""
        slopes = self.row_slopes(self.model.predictor_rows(self.data, theta))
        pulled = self.model.pull_back(self.data, self.data.weights[:, None] * slopes)
        return pulled + self.penalty_gradient(theta)
