"""SymMoLinE: two symmetric linear experts with Gaussian noise of known variance."""

from typing import Any

import numpy as np

from emmd.core.checks import positive_number, require_ordinary
from emmd.fits.potentials import Quadratic, Softplus, log_sigmoid
from emmd.kernels.em import symmetric_linear
from emmd.models.symmetric.model import SymmetricModel
from emmd.rows.design import unpack_symmetric


class SymMoLinE(SymmetricModel):
    """Symmetric mixture of two linear experts.

    z in {+1, -1} with P(z=1|x) = sigmoid(x'w) and y | x, z ~ N(z x'beta, sigma^2);
    theta = (beta, w). With x = 1 it is the symmetric two-component Gaussian
    mixture, with w = 0 mixed linear regression. The likelihood does not change
    under (beta, w) -> (-beta, -w).

    Parameters
    ----------
    n_features : int
        d; an intercept is a column of ones in X.
    sigma : float
        Known standard deviation of the noise, in the units of y.

    Attributes
    ----------
    n_params : int
        2d.

    References
    ----------
    Fruytier, Mokhtari, Sanghavi, "Learning Mixtures of Experts with EM: A Mirror
    Descent Perspective", ICML 2025.
    """

    name = "symmoline"
    kernels = symmetric_linear
    regressions = 1
    potentials = (Quadratic(), Softplus())
    evidence = 2.0
    has_density = True
    support = "real"

    def __init__(self, n_features: int, sigma: float = 1.0) -> None:
        super().__init__(n_features)
        self.sigma = positive_number("sigma", sigma)
        require_ordinary("sigma", self.sigma)

    def check_target(self, y: Any) -> None:
        """Raise where powers of a target, in units of sigma, are not representable; zeros are."""
        require_ordinary("y", max(1.0, float(np.abs(y).max()), float(np.abs(y).max()) / self.sigma))

    def score_size(self, data: Any) -> float:
        """Return the root mean square of y in units of sigma, or 1: no less than what `m_step` divides by."""
        return max(1.0, float(np.sqrt(data.weights @ data.y**2)))

    def draw_target(self, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return ``mean + sigma * noise``."""
        return mean + self.sigma * rng.standard_normal(len(mean))

    def log_joint(self, a: Any, b: Any, y: Any, z: Any) -> np.ndarray:
        """Return log p(y, z | x) in working units: the model's definition, for real or complex a and b."""
        return log_sigmoid(z * b) - 0.5 * (y - z * a) ** 2 - 0.5 * np.log(2.0 * np.pi)

    def expert_targets(self, y: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return E[z | x, y] y = (2 p - 1) y."""
        return (2.0 * responsibilities - 1.0) * y

    def equivalents(self, theta: np.ndarray) -> np.ndarray:
        """Return theta and its joint sign flip, shape (2, 2d)."""
        theta = self.check_theta(theta)
        return np.stack([theta, -theta])

    def known_moments(self, design: Any) -> tuple:
        """Return Cholesky factor and second moment of the features."""
        return design.root, design.second_moment

    def information_from_sums(self, design: Any, sums: np.ndarray) -> tuple:
        """Return E[xx'], and the Hessian of the gate's loss."""
        return design.second_moment, unpack_symmetric(sums[1 + 2 * self.n_features :], self.n_features)

    def m_step_from_sums(self, design: Any, start: np.ndarray, sums: np.ndarray, solve: Any) -> tuple:
        """Solve the expert's normal equations and the gate's logistic regression."""
        d = self.n_features
        image = np.empty(self.n_params)
        regression = design.root, design.second_moment, design.scale
        residual = symmetric_linear.solve_expert(*regression, sums[1 : 1 + d], image[:d])
        (gate,) = solve(start[np.newaxis, d:], sums[np.newaxis, 1 + d :])
        image[d:] = gate.x
        return image, max(residual, gate.residual), gate.curvature, gate.iterations
