"""Hidden Markov chain with K states and C symbols: S = counts of starts, transitions and emissions.

eta holds logs of probabilities; A and A_y are forward recursions. A row is a whole sequence.
"""

from itertools import permutations, product

import jax.numpy as jnp
import numpy as np
from jax.lax import scan
from jax.nn import log_softmax
from jax.scipy.special import logsumexp

from emmd.core.problem import Problem
from emmd.models.latent.model import LatentModel


def hidden_markov(K, C, T):
    """Return the model; theta = logits of first state, transitions (K, K), symbols (K, C), last ones 0."""
    shapes = ((1, K), (K, K), (K, C))
    ends = np.cumsum([rows * (columns - 1) for rows, columns in shapes])

    def logits(theta):
        parts = np.split(np.arange(ends[-1]), ends[:-1])
        for part, (rows, columns) in zip(parts, shapes):
            yield jnp.column_stack([theta[part].reshape(rows, columns - 1), jnp.zeros(rows)])

    def natural_parameters(theta, x):
        return jnp.concatenate([log_softmax(part, axis=1).ravel() for part in logits(theta)])

    def forward(eta, symbols):
        """Return the log of the mass of all state paths, for log masses of symbols of shape (T, K)."""
        first, steps = eta[:K], eta[K : K + K * K].reshape(K, K)

        def step(state, now):
            return logsumexp(state[:, None] + steps, axis=0) + now, None

        return logsumexp(scan(step, first + symbols[0], symbols[1:])[0])

    def log_partition(eta):
        return forward(eta, jnp.tile(logsumexp(eta[K + K * K :].reshape(K, C), axis=1), (T, 1)))

    def log_numerator(eta, y):
        seen = jnp.where(y[:, None] == np.arange(C), 1.0, 0.0)
        return forward(eta, seen @ eta[K + K * K :].reshape(K, C).T)

    def m_step(statistics, X, weights):
        parts = np.split(weights @ statistics, [K, K + K * K])
        counts = [part.reshape(shape) for part, shape in zip(parts, shapes)]
        return np.concatenate([np.log(each[:, :-1] / each[:, -1:]).ravel() for each in counts])

    def equivalents(theta):
        first, steps, symbols = (np.asarray(part) for part in logits(theta))
        found = []
        for order in map(list, permutations(range(K))):
            permuted = first[:, order], steps[order][:, order], symbols[order]
            found.append(np.concatenate([(each - each[:, -1:])[:, :-1].ravel() for each in permuted]))
        return np.array(found)

    functions = natural_parameters, log_partition, log_numerator
    n_params, support = int(ends[-1]), list(product(range(C), repeat=T))
    return LatentModel(
        n_params, *functions, m_step=m_step, equivalents=equivalents, support=support, name="hidden-markov"
    )


def load(T=6, n=120, seed=0):
    """Return a problem with drawn sequences of two states and three symbols, and a start."""
    rng = np.random.default_rng(seed)
    first, steps = np.array([0.7, 0.3]), np.array([[0.85, 0.15], [0.25, 0.75]])
    symbols = np.array([[0.85, 0.12, 0.03], [0.05, 0.15, 0.8]])
    states = [rng.choice(2, p=first) for _ in range(n)]
    y = np.empty((n, T), dtype=int)
    for t in range(T):
        y[:, t] = [rng.choice(3, p=symbols[z]) for z in states]
        states = [rng.choice(2, p=steps[z]) for z in states]
    return Problem(hidden_markov(2, 3, T), None, y), np.array([0.5, 1.5, -1.0, 2.5, 1.0, -2.0, -1.0])
