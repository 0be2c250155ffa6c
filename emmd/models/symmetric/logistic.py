"""SymMoLogE: two symmetric logistic experts for labels -1 and +1."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.fits.potentials import Softplus, log_sigmoid
from emmd.kernels.em import symmetric_logistic
from emmd.kernels.rows.reduce import sum_rows
from emmd.models.symmetric.model import SymmetricModel


class SymMoLogE(SymmetricModel):
    """Symmetric mixture of two logistic experts.

    z in {+1, -1} with P(z=1|x) = sigmoid(x'w) and P(y|x,z) = sigmoid(y z x'beta),
    y in {-1, +1}; theta = (beta, w). The likelihood does not change under the
    joint sign flip and under the swap of beta and w.

    Parameters
    ----------
    n_features : int
        d; an intercept is a column of ones in X.

    Attributes
    ----------
    n_params : int
        2d.

    References
    ----------
    Fruytier, Mokhtari, Sanghavi, "Learning Mixtures of Experts with EM: A Mirror
    Descent Perspective", ICML 2025.
    """

    name = "symmologe"
    kernels = symmetric_logistic
    regressions = 2
    potentials = (Softplus(), Softplus())
    evidence = 1.0

    def check_target(self, y: np.ndarray) -> None:
        """Raise a ValueError unless every label is -1 or +1."""
        wrong = np.abs(y) != 1.0
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"y must hold labels -1 and +1, got {y[row]} in row {row}")

    def draw_target(self, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return labels with P(y=1) = sigmoid(mean)."""
        return np.where(rng.logistic(size=len(mean)) < mean, 1.0, -1.0)

    def log_joint(self, a: np.ndarray, b: np.ndarray, y: np.ndarray, z: Any) -> np.ndarray:
        """Return log p(y, z | x): the model's definition, for real or complex a and b."""
        return log_sigmoid(z * b) + log_sigmoid(y * z * a)

    def expert_targets(self, y: np.ndarray, responsibilities: np.ndarray) -> np.ndarray:
        """Return P(y z = 1 | x, y)."""
        return np.where(y > 0, responsibilities, 1.0 - responsibilities)

    def equivalents(self, theta: ArrayLike) -> np.ndarray:
        """Return theta, its joint sign flip, its swap, and the flipped swap, shape (4, 2d)."""
        theta = self.check_theta(theta)
        swapped = np.concatenate([theta[self.n_features :], theta[: self.n_features]])
        return np.stack([theta, -theta, swapped, -swapped])

    def e_step_sums(self, data: Any, working: np.ndarray, width: int) -> tuple:
        """Run the E-step's kernel; return its sums, shape (width,), and the responsibilities."""
        sums, labels = self._e_step_sums(data, working, width)
        return sums, labels[1]

    def _e_step_sums(self, data, working, width, start=None, labels=None):
        """Return also the posterior of y z = 1, the expert's soft labels, in the first row."""
        design, d = data.design, self.n_features
        labels = np.empty((2, design.n_rows)) if labels is None else labels
        start, moved = self._begins(working, start)
        arguments = design.XB, data.y, design.kernel_weights, working[:d], working[d:], labels, start, moved
        return sum_rows(symmetric_logistic.e_step_rows, design.n_rows, width, *arguments), labels

    def em_sums(
        self,
        data: Any,
        working: np.ndarray,
        start: np.ndarray | None = None,
        labels: np.ndarray | None = None,
    ) -> tuple:
        """Return the loss, then gradient and Hessian of each regression; and both kinds of soft labels."""
        d = self.n_features
        return self._e_step_sums(data, working, 1 + 2 * (d + d * (d + 1) // 2), start, labels)

    def m_step_from_sums(self, design: Any, start: np.ndarray, sums: np.ndarray, solve: Callable) -> tuple:
        """Solve the expert's and the gate's logistic regressions."""
        expert, gate = solve(start.reshape(2, -1), sums[1:].reshape(2, -1))
        return (
            np.concatenate([expert.x, gate.x]),
            max(expert.residual, gate.residual),
            min(expert.curvature, gate.curvature),
            max(expert.iterations, gate.iterations),
        )
