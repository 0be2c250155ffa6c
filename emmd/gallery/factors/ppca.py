"""Probabilistic principal components, one of them: S = (y z, |y|^2, z^2).

The optimum is known: the leading eigenvector of E[yy'] and the mean of the other eigenvalues (Tipping and
Bishop 1999).
"""

import jax.numpy as jnp
import numpy as np

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def ppca(d):
    """Return the model y = w z + noise; theta = (w, log of the noise's deviation)."""

    def natural_parameters(theta, x):
        w, precision = theta[:d], jnp.exp(-2.0 * theta[d])
        return precision * jnp.concatenate([w, -0.5 * jnp.array([1.0, w @ w])])

    def log_partition(eta):
        left = 1.0 - 2.0 * eta[d + 1] + eta[:d] @ eta[:d] / (2.0 * eta[d])
        return -0.5 * d * jnp.log(-2.0 * eta[d]) - 0.5 * jnp.log(left)

    def log_numerator(eta, y):
        left = 1.0 - 2.0 * eta[d + 1]
        mass = 0.5 * (eta[:d] @ y) ** 2 / left - 0.5 * jnp.log(left)
        return eta[d] * (y @ y) + mass - 0.5 * d * np.log(2.0 * np.pi)

    def m_step(statistics, X, weights):
        mean = weights @ statistics
        w = mean[:d] / mean[d + 1]
        left = mean[d] - 2.0 * w @ mean[:d] + w @ w * mean[d + 1]
        return np.append(w, 0.5 * np.log(left / d))

    def equivalents(theta):
        return np.array([theta, np.append(-theta[:d], theta[d])])

    def sample_y(theta, X, rng):
        n = X if np.ndim(X) == 0 else len(X)
        return np.outer(rng.standard_normal(n), theta[:d]) + np.exp(theta[d]) * rng.standard_normal((n, d))

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(
        d + 1, *functions, m_step=m_step, equivalents=equivalents, sample_y=sample_y, name="ppca"
    )


def load(n=120, d=3, seed=0):
    """Return a problem with drawn data, and a start."""
    model = ppca(d)
    y = model.sample_y(np.append(np.linspace(2.0, 0.5, d), np.log(0.7)), n, seed)
    return Problem(model, None, y - y.mean(axis=0)), np.append(np.ones(d), 0.0)
