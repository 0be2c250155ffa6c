"""Any latent-variable model: a zero-inflated Poisson from three functions to verdicts.

A count is 0 for sure (z = 0) or Poisson (z = 1): S = (1[z = 1] y, 1[z = 1], 1[z = 0]). Run it, or
`emmd verify --model-file examples/latent.py`; `--claim E3` answers whether the M-step is right.
"""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

import emmd
from emmd import theory


def natural_parameters(theta, x):  # theta = (log odds of a Poisson count, log rate)
    share = jnp.logaddexp(0.0, theta[0])
    return jnp.stack([theta[1], theta[0] - share - jnp.exp(theta[1]), -share])


def log_partition(eta):
    return jnp.logaddexp(eta[1] + jnp.exp(eta[0]), eta[2])


def log_numerator(eta, y):
    poisson = eta[0] * y + eta[1] - gammaln(y + 1.0)
    return jnp.where(y == 0.0, jnp.logaddexp(poisson, eta[2]), poisson)


def m_step(statistics, X, weights):  # optional: a closed form, which claim E3 checks
    total, counted, surely_zero = weights @ statistics
    return np.log([counted / surely_zero, total / counted])


y = np.random.default_rng(0).poisson(3.0, 500) * (np.random.default_rng(1).random(500) < 0.6)
model = emmd.LatentModel(
    2, natural_parameters, log_partition, log_numerator, m_step=m_step, support="counts", name="zip"
)
problem, theta0 = emmd.Problem(model, None, y.astype(float)), np.array([0.0, 0.0])
if __name__ == "__main__":
    print(*(f"{each.claim}: {each.verdict}" for each in theory.verify(problem, theta0)), sep="\n")
