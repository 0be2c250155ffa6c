"""Student t with known degrees of freedom, a Gaussian whose precision varies: S = (z, zy, zy^2)."""

from math import lgamma

import jax.numpy as jnp
import numpy as np

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def student_t(nu):
    """Return the model; theta = (location, log scale); z has a gamma law of mean 1 and shape nu / 2."""

    def natural_parameters(theta, x):
        precision = jnp.exp(-2.0 * theta[1])
        return precision * jnp.array([-0.5 * theta[0] ** 2, theta[0], -0.5])

    def log_partition(eta):
        left = eta[0] - eta[1] ** 2 / (4.0 * eta[2])
        mass = 0.5 * jnp.log(np.pi / -eta[2]) - 0.5 * nu * jnp.log(0.5 * nu - left)
        return mass + lgamma(0.5 * nu)

    def log_numerator(eta, y):
        rate = 0.5 * nu - eta[0] - eta[1] * y - eta[2] * y**2
        return lgamma(0.5 * (nu + 1.0)) - 0.5 * (nu + 1.0) * jnp.log(rate)

    def m_step(statistics, X, weights):
        z, zy, zyy = weights @ statistics
        return np.array([zy / z, 0.5 * np.log(zyy - zy**2 / z)])

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(2, *functions, m_step=m_step, support="real", name="student-t")


def load(nu=4.0, n=150, seed=0):
    """Return a problem with drawn data, and a start."""
    y = 1.0 + 2.0 * np.random.default_rng(seed).standard_t(nu, n)
    return Problem(student_t(nu), None, y), np.array([0.0, 0.0])
