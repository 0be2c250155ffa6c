"""Mixture of K multinomial distributions: S = (1[z=k] counts, 1[z=k])."""

from itertools import permutations

import jax.numpy as jnp
import numpy as np
from jax.nn import log_softmax
from jax.scipy.special import gammaln, logsumexp

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def multinomial_mixture(K, C, trials):
    """Return the model; theta = (logits of the weights (K - 1), logits of the categories (K, C - 1))."""

    def natural_parameters(theta, x):
        log_weights = log_softmax(jnp.append(theta[: K - 1], 0.0))
        logits = jnp.column_stack([theta[K - 1 :].reshape(K, C - 1), jnp.zeros(K)])
        return jnp.concatenate([log_softmax(logits, axis=1).ravel(), log_weights])

    def log_partition(eta):
        return logsumexp(eta[K * C :] + trials * logsumexp(eta[: K * C].reshape(K, C), axis=1))

    def log_numerator(eta, y):
        ways = gammaln(trials + 1.0) - gammaln(y + 1.0).sum()
        return logsumexp(eta[K * C :] + eta[: K * C].reshape(K, C) @ y) + ways

    def equivalents(theta):
        logits, parts = np.append(theta[: K - 1], 0.0), theta[K - 1 :].reshape(K, C - 1)
        orders = [list(order) for order in permutations(range(K))]
        return np.array([np.append((logits[o] - logits[o[-1]])[:-1], parts[o].ravel()) for o in orders])

    def support():
        counts = np.array(np.meshgrid(*[np.arange(trials + 1.0)] * C)).reshape(C, -1).T
        return counts[counts.sum(axis=1) == trials]

    return LatentModel(
        K - 1 + K * (C - 1),
        natural_parameters,
        log_partition,
        log_numerator,
        equivalents=equivalents,
        support=support(),
        name="multinomial-mixture",
    )


def load(n=150, trials=8, seed=0):
    """Return a problem with drawn data, K = 2, three categories, and a start."""
    rng = np.random.default_rng(seed)
    shares = np.array([[0.7, 0.2, 0.1], [0.2, 0.3, 0.5]])
    y = np.array([rng.multinomial(trials, shares[k]) for k in rng.integers(2, size=n)], dtype=float)
    return Problem(multinomial_mixture(2, 3, trials), None, y), np.array([0.0, 1.0, 0.5, -0.5, 0.0])
