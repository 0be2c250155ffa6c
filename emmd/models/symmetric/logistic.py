"""SymMoLogE: two symmetric logistic experts for labels -1 and +1."""

from typing import Any

import numpy as np

from emmd.fits.potentials import Softplus, log_sigmoid
from emmd.kernels.em import symmetric_logistic
from emmd.models.symmetric.model import SymmetricModel
from emmd.rows.design import unpack_symmetric


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
    support = (-1.0, 1.0)
    kernels = symmetric_logistic
    regressions = 2
    potentials = (Softplus(), Softplus())
    evidence = 1.0

    def check_target(self, y: Any) -> None:
        """Raise a ValueError unless every label is -1 or +1."""
        wrong = np.abs(y) != 1.0
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"y must hold labels -1 and +1, got {y[row]} in row {row}")

    def draw_target(self, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return labels with P(y=1) = sigmoid(mean)."""
        return np.where(rng.logistic(size=len(mean)) < mean, 1.0, -1.0)

    def log_joint(self, a: Any, b: Any, y: Any, z: Any) -> np.ndarray:
        """Return log p(y, z | x): the model's definition, for real or complex a and b."""
        return log_sigmoid(z * b) + log_sigmoid(y * z * a)

    def expert_targets(self, y: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return P(y z = 1 | x, y)."""
        return np.where(y > 0, responsibilities, 1.0 - responsibilities)

    def equivalents(self, theta: np.ndarray) -> np.ndarray:
        """Return theta, its joint sign flip, its swap, and the flipped swap, shape (4, 2d)."""
        theta = self.check_theta(theta)
        swapped = np.concatenate([theta[self.n_features :], theta[: self.n_features]])
        return np.stack([theta, -theta, swapped, -swapped])

    def information_from_sums(self, design: Any, sums: np.ndarray) -> tuple:
        """Return the Hessians of the two logistic losses."""
        d = self.n_features
        expert, gate = sums[1:].reshape(2, -1)
        return unpack_symmetric(expert[d:], d), unpack_symmetric(gate[d:], d)

    def m_step_from_sums(self, design: Any, start: np.ndarray, sums: np.ndarray, solve: Any) -> tuple:
        """Solve the expert's and the gate's logistic regressions."""
        expert, gate = solve(start.reshape(2, -1), sums[1:].reshape(2, -1))
        return (
            np.concatenate([expert.x, gate.x]),
            max(expert.residual, gate.residual),
            min(expert.curvature, gate.curvature),
            max(expert.iterations, gate.iterations),
        )
