"""Random intercepts: rows are groups that share a deviation b. S = (y, |y|^2, b sum of y, b, b^2)."""

import jax.numpy as jnp
import numpy as np

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def random_intercept(J, d):
    """Return y = X beta + b + noise for groups of J; theta = (beta, log deviations of the noise and of b)."""

    def natural_parameters(theta, x):
        mean, noise, spread = x @ theta[:d], jnp.exp(-2.0 * theta[d]), jnp.exp(-2.0 * theta[d + 1])
        shared = jnp.array([-0.5 * noise, noise, -noise * mean.sum(), -0.5 * (J * noise + spread)])
        return jnp.concatenate([noise * mean, shared])

    def log_mass(linear, quadratic):
        return -(linear**2) / (4.0 * quadratic) + 0.5 * jnp.log(np.pi / -quadratic)

    def log_partition(eta):
        linear, (square, cross, shift, within) = eta[:J], eta[J:]
        # the J observations are integrated out, then b
        rest = -(linear @ linear) / (4.0 * square) + 0.5 * J * jnp.log(np.pi / -square)
        slope = shift - cross * linear.sum() / (2.0 * square)
        return rest + log_mass(slope, within - J * cross**2 / (4.0 * square))

    def log_numerator(eta, y):
        linear, (square, cross, shift, within) = eta[:J], eta[J:]
        return linear @ y + square * (y @ y) + log_mass(shift + cross * y.sum(), within)

    def sample_y(theta, X, rng):
        b = np.exp(theta[d + 1]) * rng.standard_normal((len(X), 1))
        return X @ theta[:d] + b + np.exp(theta[d]) * rng.standard_normal((len(X), J))

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(d + 2, *functions, sample_y=sample_y, name="random-intercept")


def load(groups=60, J=4, seed=0):
    """Return a problem with drawn data, one feature and an intercept, and a start."""
    rng = np.random.default_rng(seed)
    X = np.stack([np.ones((groups, J)), rng.standard_normal((groups, J))], axis=2)
    model = random_intercept(J, 2)
    return Problem(model, X, model.sample_y(np.array([1.0, -0.5, -0.5, -0.2]), X, rng)), np.zeros(4)
