"""Factor analysis: S = (y z', y^2, zz'). A rotation of two factors changes nothing: one gauge direction."""

import jax.numpy as jnp
import numpy as np

from emmd.core.problem import Problem
from emmd.gallery.triangles import doubled, from_products, log_gaussian_mass, symmetric
from emmd.models.latent.model import LatentModel


def factor_analysis(d, q):
    """Return the model y = L z + noise; theta = (loadings L (d, q), log variances of the noise (d))."""

    def natural_parameters(theta, x):
        loadings, precision = theta[: d * q].reshape(d, q), jnp.exp(-theta[d * q :])
        scaled = precision[:, None] * loadings
        return jnp.concatenate([scaled.ravel(), -0.5 * precision, doubled(-0.5 * loadings.T @ scaled)])

    def split(eta):
        parts = eta[: d * q].reshape(d, q), eta[d * q : d * q + d], eta[d * q + d :]
        return parts[0], parts[1], symmetric(parts[2], q) - 0.5 * jnp.eye(q)

    def log_partition(eta):
        linear, squares, within = split(eta)
        left = within - 0.25 * linear.T @ (linear / squares[:, None])
        return log_gaussian_mass(jnp.zeros(q), left) + 0.5 * jnp.log(np.pi / -squares).sum()

    def log_numerator(eta, y):
        linear, squares, within = split(eta)
        return squares @ y**2 + log_gaussian_mass(linear.T @ y, within)

    def m_step(statistics, X, weights):
        mean = weights @ statistics
        cross, second = mean[: d * q].reshape(d, q), from_products(mean[d * q + d :], q)
        loadings = np.linalg.solve(second, cross.T).T
        left = mean[d * q : d * q + d] - (loadings * cross).sum(axis=1)
        return np.append(loadings.ravel(), np.log(left))

    def sample_y(theta, X, rng):
        n = X if np.ndim(X) == 0 else len(X)
        noise = np.exp(0.5 * theta[d * q :]) * rng.standard_normal((n, d))
        return rng.standard_normal((n, q)) @ theta[: d * q].reshape(d, q).T + noise

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(d * (q + 1), *functions, m_step=m_step, sample_y=sample_y, name="factor-analysis")


def load(n=300, d=6, q=2, seed=0):
    """Return a problem with drawn data, and a start."""
    model = factor_analysis(d, q)
    loadings = np.kron(np.eye(q), np.linspace(1.0, 1.6, d // q)[:, None])
    y = model.sample_y(np.append(loadings.ravel(), np.full(d, -0.4)), n, seed)
    theta0 = np.append(loadings.ravel() + 0.1, np.zeros(d))
    return Problem(model, None, y - y.mean(axis=0)), theta0
