"""Mixture of K Gaussians with full covariances: S = (1[z=k] (y, yy'), 1[z=k])."""

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import log_softmax
from jax.scipy.special import logsumexp

from emmd.core.problem import Problem
from emmd.gallery.triangles import (
    doubled,
    from_log_cholesky,
    from_products,
    log_cholesky,
    log_gaussian_mass,
    products,
    symmetric,
)
from emmd.models.latent.model import LatentModel


def gaussian_mixture(K, d):
    """Return the model; theta = (logits (K - 1), means (K d), log-Cholesky factors of the precisions)."""
    q = d * (d + 1) // 2

    def split(theta):
        logits = jnp.append(theta[: K - 1], 0.0)
        return logits, theta[K - 1 : K - 1 + K * d].reshape(K, d), theta[K - 1 + K * d :].reshape(K, q)

    def component(mean, factor):
        root = log_cholesky(factor, d)
        precision, half = root @ root.T, root.T @ mean
        level = jnp.log(jnp.diag(root)).sum() - 0.5 * half @ half - 0.5 * d * np.log(2.0 * np.pi)
        return jnp.concatenate([precision @ mean, doubled(-0.5 * precision), level[None]])

    def natural_parameters(theta, x):
        logits, means, factors = split(theta)
        return jax.vmap(component)(means, factors).at[:, -1].add(log_softmax(logits)).ravel()

    def mass(part):
        return log_gaussian_mass(part[:d], symmetric(part[d:-1], d)) + part[-1]

    def log_partition(eta):
        return logsumexp(jax.vmap(mass)(eta.reshape(K, d + q + 1)))

    def log_numerator(eta, y):
        parts = eta.reshape(K, d + q + 1)
        return logsumexp(parts[:, :d] @ y + parts[:, d:-1] @ products(y) + parts[:, -1])

    def m_step(statistics, X, weights):
        parts = (weights @ statistics).reshape(K, d + q + 1)
        shares, parts = parts[:, -1], parts / parts[:, -1:]
        means = parts[:, :d]
        covariances = from_products(parts[:, d:-1], d) - means[:, :, None] * means[:, None, :]
        factors = from_log_cholesky(np.linalg.inv(covariances))
        return np.concatenate([np.log(shares[:-1] / shares[-1]), means.ravel(), factors.ravel()])

    def equivalents(theta):
        logits, means, factors = (np.asarray(part) for part in split(theta))
        found = []
        for o in map(list, permutations(range(K))):
            found.append(np.hstack([(logits[o] - logits[o[-1]])[:-1], means[o].ravel(), factors[o].ravel()]))
        return np.array(found)

    functions = natural_parameters, log_partition, log_numerator
    n_params, support = K - 1 + K * (d + q), "real" if d <= 2 else None
    return LatentModel(
        n_params, *functions, m_step=m_step, equivalents=equivalents, support=support, name="gaussian-mixture"
    )


def load(K=2, d=2, n=200, seed=0):
    """Return a problem with drawn data, and a start near the truth."""
    rng = np.random.default_rng(seed)
    means = 3.0 * np.eye(K, d)
    y = means[rng.integers(K, size=n)] + rng.standard_normal((n, d))
    theta0 = np.concatenate([np.zeros(K - 1), means.ravel() + 0.2, np.zeros(K * d * (d + 1) // 2)])
    return Problem(gaussian_mixture(K, d), None, y), theta0
