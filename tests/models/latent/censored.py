"""Right-censored waiting times, a small model with everything: EM's rate is the censored share."""

import jax.numpy as jnp
import numpy as np

import emmd

RNG = np.random.default_rng(3)
TIMES = RNG.exponential(2.0, 40)
ROWS = np.column_stack([np.minimum(TIMES, 3.0), TIMES < 3.0])
SHARE = float(np.mean(TIMES >= 3.0))
START = np.array([0.4])


def m_step(statistics, X, weights):
    return -np.log(weights @ statistics)


def e_step(theta, x, y):
    return jnp.array([y[0]]) + (1.0 - y[1]) * jnp.exp(-theta)


def natural_parameters(theta, x):
    return -jnp.exp(theta)


def log_partition(eta):
    return -jnp.log(-eta[0])


def log_numerator(eta, y):
    return eta[0] * y[0] - (1.0 - y[1]) * jnp.log(-eta[0])


FUNCTIONS = (natural_parameters, log_partition, log_numerator)
IN_NUMPY = (
    lambda theta, x: -np.exp(theta),
    lambda eta: -np.log(-eta[0]),
    lambda eta, y: eta[0] * y[0] - (1.0 - y[1]) * np.log(-eta[0]),
)


def censored(functions=FUNCTIONS, **steps):
    """Return the problem, with the user's own steps where given."""
    return emmd.Problem(emmd.LatentModel(1, *functions, name="censored", **steps), None, ROWS)
