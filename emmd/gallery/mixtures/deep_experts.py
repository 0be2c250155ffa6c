"""Two experts that are small neural networks, and a gate: S = (1[z=k] (y, y^2), 1[z=k]).

No M-step in closed form, and Q is not convex: ``method="generalized_em"`` does a Newton step on it instead,
and ``"gradient_em"`` gradient steps. Hidden units may trade places and signs: copies with the same
likelihood.
"""

import jax.numpy as jnp
import numpy as np
from jax.nn import log_softmax

from emmd.core.problem import Problem
from emmd.gallery.mixtures.mixed_regression import gaussian_experts, log_numerator, log_partition
from emmd.models.latent.model import LatentModel


def deep_experts(hidden):
    """Return the model for one feature; an expert is sum_h v_h tanh(a_h x + b_h) + c with `hidden` units.

    theta = (gate's slope and level, an expert's (a, b, v) and c, those of the other, log deviation).
    """
    size = 3 * hidden + 1

    def network(part, x):
        slope, shift, height = part[:-1].reshape(3, hidden)
        return height @ jnp.tanh(slope * x + shift) + part[-1]

    def natural_parameters(theta, x):
        log_weights = log_softmax(jnp.stack([theta[0] * x + theta[1], 0.0 * x]))
        means = jnp.stack([network(part, x) for part in theta[2:-1].reshape(2, size)])
        return gaussian_experts(log_weights, means, theta[-1])

    functions = natural_parameters, log_partition, log_numerator
    return LatentModel(2 * size + 3, *functions, support="real", name="deep-experts")


def load(n=240, hidden=2, seed=0):
    """Return a problem with drawn data, a rising and a falling step, and a start."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3.0, 3.0, n)
    step = np.tanh(2.0 * (x + 1.5)) + np.tanh(2.0 * (x - 1.5))
    up = rng.random(n) < 1.0 / (1.0 + np.exp(-0.5 * x))
    y = np.where(up, step + 1.0, -0.8 * step) + 0.3 * rng.standard_normal(n)
    expert = np.repeat([[1.5], [0.0], [1.0]], hidden, axis=1)
    expert[1] = 1.5 * np.linspace(1.5, -1.5, hidden)
    falling = expert * np.array([[1.0], [1.0], [-1.0]])
    theta0 = np.concatenate([np.zeros(2), expert.ravel(), [0.5], falling.ravel(), [0.0, -0.5]])
    return Problem(deep_experts(hidden), x, y), theta0
