"""Logistic regression in NumPy, solved by the compiled Newton method."""

import numpy as np
from scipy.special import expit

from emmd.kernels.solvers import newton_steps
from emmd.kernels.solvers.logistic import LOG_2, hessian_cost


def workspace(start, cost, entropy=np.inf, crest=10.0):
    """Return state, vectors and factor of one function, by default one that keeps its start."""
    states, vectors, factors = newton_steps.workspace(1, len(start), cost, entropy, crest)
    vectors[newton_steps.TRIAL] = start
    return states[0], vectors, factors


class Logistic:
    """Soft-label logistic regression in NumPy, with what the method asked for."""

    def __init__(self, X, q, c):
        self.X, self.q, self.c = X, q, c
        self.scale = np.sqrt(c @ X**2)
        self.crest = np.max(np.abs(X) / self.scale)
        self.asked = []

    def value(self, w):
        b = self.X @ w
        return self.c @ (np.logaddexp(0.0, b) - self.q * b)

    def sums(self, w, with_hessian):
        p = expit(self.X @ w)
        gradient = self.X.T @ (self.c * (p - self.q))
        if not with_hessian:
            return gradient
        hessian = (self.X.T * (self.c * p * (1 - p))) @ self.X
        return np.concatenate([gradient, hessian[np.triu_indices(len(w))]])

    def solve(self, start):
        """Return the method's state and where it ends."""
        d = len(start)
        state, vectors, factor = workspace(start, hessian_cost(d), LOG_2, self.crest)
        wanted = newton_steps.advance(state, vectors, factor, self.sums(start, True), self.scale, True)
        while wanted != newton_steps.DONE:
            self.asked.append(wanted)
            with_hessian = wanted == newton_steps.HESSIAN
            found = self.sums(vectors[newton_steps.TRIAL], with_hessian)
            wanted = newton_steps.advance(state, vectors, factor, found, self.scale, with_hessian)
        return state, vectors[newton_steps.POINT].copy()


def logistic(n, d, seed, size=1.0):
    """Return a regression with features of sizes from 1e-3 to 1e3, and the truth of its labels."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * np.geomspace(1e-3, 1e3, d)
    truth = size * rng.standard_normal(d) / np.geomspace(1e-3, 1e3, d) / np.sqrt(d)
    c = rng.uniform(0.1, 1.0, n)
    return Logistic(X, expit(X @ truth + rng.standard_normal(n)), c / c.sum()), truth
