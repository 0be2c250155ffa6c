"""Multivariate Gaussian with missing entries: S = (y, yy') of the whole row."""

import jax.numpy as jnp
import numpy as np

from emmd.core.problem import Problem
from emmd.gallery.triangles import (
    doubled,
    from_log_cholesky,
    from_products,
    log_cholesky,
    log_gaussian_mass,
    symmetric,
)
from emmd.models.latent.model import LatentModel


def missing_gaussian(d, missing=0.25):
    """Return the model; theta = (mean, log-Cholesky factor of the precision), y = (values, which were seen).

    Values that were not seen may be anything; the sampler hides the share `missing` of them.
    """

    def natural_parameters(theta, x):
        root = log_cholesky(theta[d:], d)
        precision = root @ root.T
        return jnp.concatenate([precision @ theta[:d], doubled(-0.5 * precision)])

    def log_partition(eta):
        return log_gaussian_mass(eta[:d], symmetric(eta[d:], d))

    def log_numerator(eta, y):
        value, seen = jnp.where(y[1], y[0], 0.0), jnp.where(y[1], 1.0, 0.0)
        linear, quadratic = eta[:d], symmetric(eta[d:], d)
        # the missing entries are integrated out; a unit Gaussian stands in for each entry that was seen
        hidden = 1.0 - seen
        within = quadratic * jnp.outer(hidden, hidden) - 0.5 * jnp.diag(seen)
        slope = hidden * (linear + 2.0 * quadratic @ value)
        rest = log_gaussian_mass(slope, within) - 0.5 * seen.sum() * np.log(2.0 * np.pi)
        return linear @ value + value @ quadratic @ value + rest

    def m_step(statistics, X, weights):
        mean = weights @ statistics
        covariance = from_products(mean[d:], d) - np.outer(mean[:d], mean[:d])
        return np.concatenate([mean[:d], from_log_cholesky(np.linalg.inv(covariance))])

    def sample_y(theta, X, rng):
        n = X if np.ndim(X) == 0 else len(X)
        root = np.asarray(log_cholesky(theta[d:], d))
        y = theta[:d] + np.linalg.solve(root.T, rng.standard_normal((d, n))).T
        seen = rng.random((n, d)) >= missing
        return np.where(seen, y, 0.0), seen

    n_params = d + d * (d + 1) // 2
    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(n_params, *functions, m_step=m_step, sample_y=sample_y, name="missing-gaussian")


def load(n=120, d=3, missing=0.25, seed=0):
    """Return a problem with drawn data, entries missing at random, and a start."""
    model = missing_gaussian(d, missing)
    mixing = np.eye(d) + 0.5 * np.tri(d)
    truth = np.append(np.zeros(d), from_log_cholesky(np.linalg.inv(mixing @ mixing.T)))
    return Problem(model, None, model.sample_y(truth, n, seed)), np.zeros(model.n_params)
