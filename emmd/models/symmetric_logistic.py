"""SymMoLogE: two symmetric logistic experts for labels -1 and +1."""

import numpy as np

from emmd.core.potentials import Softplus, log_sigmoid
from emmd.core.symmetric import SymmetricModel
from emmd.kernels import symmetric_logistic
from emmd.kernels.reduce import sum_rows


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
    logistic = True
    potentials = (Softplus(), Softplus())
    evidence = 1.0

    def check_target(self, y):
        """Raise a ValueError unless every label is -1 or +1."""
        wrong = np.abs(y) != 1.0
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"y must hold labels -1 and +1, got {y[row]} in row {row}")

    def draw_target(self, mean, rng):
        """Return labels with P(y=1) = sigmoid(mean)."""
        return np.where(rng.logistic(size=len(mean)) < mean, 1.0, -1.0)

    def log_joint(self, a, b, y, z):
        """Return log p(y, z | x): the model's definition, for real or complex a and b."""
        return log_sigmoid(z * b) + log_sigmoid(y * z * a)

    def expert_targets(self, y, responsibilities):
        """Return P(y z = 1 | x, y)."""
        return np.where(y > 0, responsibilities, 1.0 - responsibilities)

    def equivalents(self, theta):
        """Return theta, its joint sign flip, its swap, and the flipped swap, shape (4, 2d)."""
        theta = self.check_theta(theta)
        swapped = np.concatenate([theta[self.n_features :], theta[: self.n_features]])
        return np.stack([theta, -theta, swapped, -swapped])

    def e_step_sums(self, data, working, width):
        """Run the E-step's kernel; return its sums, shape (width,), and the responsibilities."""
        return self._e_step_sums(data, working, width)[:2]

    def _e_step_sums(self, data, working, width):
        """Return also the posterior of y z = 1, the expert's soft labels."""
        design, d = data.design, self.n_features
        p, q = np.empty((2, design.n_rows))
        arguments = design.XB, data.y, design.weights, working[:d], working[d:], p, q
        return sum_rows(symmetric_logistic.e_step_rows, design.n_rows, width, *arguments), p, q

    def em_step_at_once(self, data, working):
        """Evaluate the EM map in working units by one compiled call."""
        design = data.design
        p, q = np.empty((2, design.n_rows))
        image = np.empty(self.n_params)
        loss, *solved = symmetric_logistic.em_step(
            design.XB, data.y, design.weights, design.scale, working, p, q, image
        )
        return loss, image, *solved

    def em_sums(self, data, working):
        """Return loss, both losses, then gradient and Hessian of each; and both kinds of soft labels."""
        d = self.n_features
        sums, p, q = self._e_step_sums(data, working, 3 + 2 * (d + d * (d + 1) // 2))
        return sums, (q, p)

    def m_step_from_sums(self, design, working, sums, solve):
        """Solve the expert's and the gate's logistic regressions."""
        starts, found = np.split(working, 2), np.split(sums[3:], 2)
        expert, gate = (solve(part, starts[part], sums[1 + part], found[part]) for part in range(2))
        return (
            np.concatenate([expert.x, gate.x]),
            max(expert.residual, gate.residual),
            min(expert.curvature, gate.curvature),
            max(expert.iterations, gate.iterations),
        )
