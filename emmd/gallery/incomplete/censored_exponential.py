"""Exponential waiting times of which some are only known to exceed a limit: S = the time itself.

EM's rate is the share of censored rows, exactly (`emmd.theory.claims.laws`).
"""

import jax.numpy as jnp
import numpy as np

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def censored_exponential(limit):
    """Return the model; theta = log rate, y = (time, 1 if it was observed and 0 if it was censored).

    `limit` is that of the sampler; in the data every row may have its own.
    """

    def natural_parameters(theta, x):
        return -jnp.exp(theta)

    def log_partition(eta):
        return -jnp.log(-eta[0])

    def log_numerator(eta, y):
        return eta[0] * y[0] - (1.0 - y[1]) * jnp.log(-eta[0])

    def m_step(statistics, X, weights):
        return -np.log(weights @ statistics)

    def e_step(theta, x, y):
        return jnp.array([y[0]]) + (1.0 - y[1]) * jnp.exp(-theta)

    def sample_y(theta, X, rng):
        times = rng.exponential(np.exp(-theta[0]), X if np.ndim(X) == 0 else len(X))
        return np.column_stack([np.minimum(times, limit), times < limit])

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(
        1, *functions, m_step=m_step, e_step=e_step, sample_y=sample_y, name="censored-exponential"
    )


def load(n=100, limit=3.0, seed=0):
    """Return a problem with drawn data, censored at a limit, and a start."""
    model = censored_exponential(limit)
    return Problem(model, None, model.sample_y(np.array([-np.log(2.0)]), n, seed)), np.array([0.5])
