"""Mixture of K Poisson distributions: S = (1[z=k] y, 1[z=k])."""

import jax.numpy as jnp
import numpy as np
from jax.nn import log_softmax
from jax.scipy.special import gammaln, logsumexp

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def poisson_mixture(K):
    """Return the model; theta = (logits (K - 1), log rates (K))."""

    def natural_parameters(theta, x):
        log_weights, log_rates = log_softmax(jnp.append(theta[: K - 1], 0.0)), theta[K - 1 :]
        return jnp.concatenate([log_rates, log_weights - jnp.exp(log_rates)])

    def log_partition(eta):
        return logsumexp(eta[K:] + jnp.exp(eta[:K]))

    def log_numerator(eta, y):
        return logsumexp(eta[K:] + y * eta[:K]) - gammaln(y + 1.0)

    def m_step(statistics, X, weights):
        sums, shares = np.split(weights @ statistics, 2)
        return np.concatenate([np.log(shares[:-1] / shares[-1]), np.log(sums / shares)])

    def sample_y(theta, X, rng):
        n = X if np.ndim(X) == 0 else len(X)
        weights = np.exp(np.append(theta[: K - 1], 0.0))
        return rng.poisson(np.exp(theta[K - 1 :])[rng.choice(K, n, p=weights / weights.sum())]).astype(float)

    return LatentModel(
        2 * K - 1,
        natural_parameters,
        log_partition,
        log_numerator,
        m_step=m_step,
        sample_y=sample_y,
        support="counts",
        name="poisson-mixture",
    )


def load(n=200, seed=0):
    """Return a problem with drawn data, K = 2, and a start."""
    model = poisson_mixture(2)
    truth = np.array([0.4, np.log(2.0), np.log(9.0)])
    y = model.sample_y(truth, n, np.random.default_rng(seed))
    return Problem(model, None, y), np.array([0.0, 0.3, 1.8])
