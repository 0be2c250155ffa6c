"""Mixture of K linear regressions: S = (1[z=k] (y, y^2), 1[z=k]), eta depends on the features."""

import jax.numpy as jnp
import numpy as np
from jax.nn import log_softmax
from jax.scipy.special import logsumexp

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def gaussian_experts(log_weights, means, log_sd):
    """Return eta of K Gaussian experts with means (K,) and a common deviation."""
    precision = jnp.exp(-2.0 * log_sd)
    level = log_weights - 0.5 * precision * means**2 - log_sd - 0.5 * np.log(2.0 * np.pi)
    return jnp.concatenate([precision * means, -0.5 * precision * jnp.ones(len(means)), level])


def log_partition(eta):
    """Return the log of the mass of all y and all experts."""
    linear, quadratic, level = eta.reshape(3, -1)
    return logsumexp(level - linear**2 / (4.0 * quadratic) + 0.5 * jnp.log(np.pi / -quadratic))


def log_numerator(eta, y):
    """Return the log of the mass of all experts at y."""
    linear, quadratic, level = eta.reshape(3, -1)
    return logsumexp(level + linear * y + quadratic * y**2)


def mixed_regression(K, d):
    """Return the model; theta = (logits (K - 1), coefficients (K, d), log of the common deviation)."""

    def natural_parameters(theta, x):
        log_weights = log_softmax(jnp.append(theta[: K - 1], 0.0))
        return gaussian_experts(log_weights, theta[K - 1 : -1].reshape(K, d) @ x, theta[-1])

    def m_step(statistics, X, weights):
        sums, squares, shares = statistics.reshape(len(X), 3, K).transpose(1, 2, 0)
        coef = [
            np.linalg.solve(X.T @ (weights * r * X.T).T, X.T @ (weights * s)) for r, s in zip(shares, sums)
        ]
        left = sum(
            weights @ (square - 2.0 * s * (X @ b) + r * (X @ b) ** 2)
            for square, s, r, b in zip(squares, sums, shares, coef)
        )
        share = shares @ weights
        return np.concatenate([np.log(share[:-1] / share[-1]), np.ravel(coef), [0.5 * np.log(left)]])

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(K * (d + 1), *functions, m_step=m_step, support="real", name="mixed-regression")


def load(n=120, seed=0):
    """Return a problem with drawn data, two lines, and a start."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal(n), np.ones(n)])
    coef = np.array([[2.0, 0.5], [-1.5, 0.0]])
    y = (X * coef[rng.integers(2, size=n)]).sum(axis=1) + 0.4 * rng.standard_normal(n)
    return Problem(mixed_regression(2, 2), X, y), np.array([0.1, 1.5, 0.3, -1.0, 0.2, -0.5])
