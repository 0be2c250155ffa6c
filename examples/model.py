"""A latent-variable model of one's own: exponential lifetimes that are censored on the right.

Run its claims with ``emmd verify --model-file examples/model.py``. The complete datum is the lifetime y, with
density h exp(eta y - A(eta)), eta = -rate < 0; of a censored row only a lower bound of y was observed. EM's
rate is the share of censored rows, exactly.
"""

import numpy as np

import emmd


class Censored(emmd.Model):
    """theta = log rate; target: the lifetime where it was seen, minus the bound where it was censored."""

    name, n_features, n_params = "censored", 1, 1

    def natural_parameters(self, data, rows):  # rows: theta for every row, real or complex
        return -np.exp(rows)

    def log_partition(self, eta):  # the log of the total mass, the integral of e^(eta y)
        return -np.log(-eta[:, 0])

    def log_numerator(self, data, eta):  # the log of the mass that is compatible with the observation
        seen, bound = data.y > 0, np.abs(data.y)
        return eta[:, 0] * bound - np.where(seen, 0.0, np.log(-eta[:, 0]))


rng = np.random.default_rng(0)
lifetime, limit = rng.exponential(2.0, 200), rng.exponential(3.0, 200)
target = np.where(lifetime < limit, lifetime, -limit)
problem = emmd.Problem(Censored(), np.ones((200, 1)), target)
theta0 = np.zeros(1)
