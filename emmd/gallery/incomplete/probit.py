"""Probit regression: the sign of a latent Gaussian is seen. S = z, eta = x'theta: nothing is projected."""

import numpy as np
from jax.scipy.stats import norm

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def probit(d):
    """Return the model with d features; y is -1 or 1."""

    def natural_parameters(theta, x):
        return x[None] @ theta

    def log_partition(eta):
        return 0.5 * eta[0] ** 2

    def log_numerator(eta, y):
        return 0.5 * eta[0] ** 2 + norm.logcdf(y * eta[0])

    def m_step(statistics, X, weights):
        moment = X.T @ (weights[:, None] * X)
        return np.linalg.solve(moment, X.T @ (weights * statistics[:, 0]))

    def sample_y(theta, X, rng):
        return np.where(X @ theta + rng.standard_normal(len(X)) > 0.0, 1.0, -1.0)

    return LatentModel(
        d,
        natural_parameters,
        log_partition,
        log_numerator,
        m_step=m_step,
        sample_y=sample_y,
        support=[-1.0, 1.0],
        name="probit",
    )


def load(n=150, d=3, seed=0):
    """Return a problem with drawn data and an intercept, and a start."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal((n, d - 1)), np.ones(n)])
    model = probit(d)
    return Problem(model, X, model.sample_y(np.linspace(1.0, -0.5, d), X, rng)), np.zeros(d)
