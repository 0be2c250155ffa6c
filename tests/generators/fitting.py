"""Random fitting problems with a known truth, and what a generic optimiser reaches from there."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln, log_softmax, logsumexp

import emmd

KINDS = ("free", "shared", "known", "bernoulli", "categorical", "poisson", "gamma")


@dataclass(frozen=True)
class Fitting:
    """Data and the parameters that they were drawn with, in units in which everything is about 1.

    Attributes
    ----------
    kind : str
    X : ndarray of shape (n, d)
        The user's features, of any size and offset.
    Z : ndarray of shape (n, d + 1)
        The same in units of 1, with a column of ones.
    y : ndarray of shape (n,)
    unit : float
        Of a Gaussian target; 1 for the others.
    coef, gate, rho : ndarray
        Shapes (K, m, d + 1), (K - 1, d + 1) and (K,), (1,) or (0,): log variances or log shapes.
    variance : float
        Known variance in units of 1.
    """

    kind: str
    X: np.ndarray
    Z: np.ndarray
    y: np.ndarray
    unit: float
    coef: np.ndarray
    gate: np.ndarray
    rho: np.ndarray
    variance: float

    def estimator(self, **options):
        """Return an estimator for it."""
        if self.kind in ("bernoulli", "categorical"):
            return emmd.MixtureOfExpertsClassifier(len(self.coef), **options)
        family = self.kind if self.kind in ("poisson", "gamma") else "gaussian"
        known = {"free": "free", "shared": "shared", "known": self.variance * self.unit**2}
        variance = known.get(self.kind, "free")
        return emmd.MixtureOfExpertsRegressor(len(self.coef), family=family, variance=variance, **options)


def draw(seed):
    """Return problem number `seed`: kinds in turn, everything else at random."""
    rng = np.random.default_rng([29, seed])
    kind = KINDS[seed % len(KINDS)]
    K, d, n = int(rng.integers(2, 4)), int(rng.integers(1, 4)), int(rng.integers(250, 600))
    Z = np.column_stack([rng.standard_normal((n, d)), np.ones(n)])
    scale, offset = 10.0 ** rng.uniform(-6.0, 6.0, d), rng.choice([0.0, 1.0, 100.0], d)
    m = 2 if kind == "categorical" else 1
    steep = {"bernoulli": 2.0, "categorical": 2.0, "poisson": 0.5, "gamma": 0.5}.get(kind, 1.0)
    coef = steep * rng.standard_normal((K, m, d + 1))
    gate = 1.5 * rng.standard_normal((K - 1, d + 1))
    level = rng.uniform(0.0, np.log(1e7)) if kind == "poisson" else 0.0
    level = rng.uniform(-13.8, 13.8) if kind == "gamma" else level
    coef[:, :, -1] += level
    count = {"free": K, "gamma": K, "shared": 1}.get(kind, 0)
    sizes = (0.0, 9.0) if kind == "gamma" else (2.0 * np.log(0.05), 2.0 * np.log(0.5))
    rho = rng.uniform(*sizes, count)
    variance = float(np.exp(rng.uniform(*sizes)))
    unit = 10.0 ** rng.uniform(-6.0, 6.0) if kind in ("free", "shared", "known") else 1.0
    logits = np.column_stack([Z @ gate.T, np.zeros(n)])
    z = (logits + rng.gumbel(size=(n, K))).argmax(axis=1)
    u = np.einsum("nd,nmd->nm", Z, coef[z])
    y = unit * _target(kind, u, np.broadcast_to(rho, K)[z] if count else np.log(variance), rng)
    return Fitting(kind, scale * (Z[:, :-1] + offset), Z, y, unit, coef, gate, rho, variance)


def _target(kind, u, rho, rng):
    if kind == "bernoulli":
        return (rng.random(len(u)) < expit(u[:, 0])).astype(float)
    if kind == "categorical":
        return np.argmax(np.column_stack([u, np.zeros(len(u))]) + rng.gumbel(size=(len(u), 3)), axis=1) * 1.0
    if kind == "poisson":
        return rng.poisson(np.exp(u[:, 0])).astype(float)
    if kind == "gamma":
        return rng.gamma(np.exp(rho), np.exp(u[:, 0] - rho))
    return u[:, 0] + np.exp(0.5 * rho) * rng.standard_normal(len(u))


def _expert(kind, y, u, rho):
    """Return log p(y) and its derivatives in u, shape (n, m), and in rho."""
    v, none = u[:, 0], np.zeros(len(y))
    if kind == "bernoulli":
        return y * v - np.logaddexp(0.0, v), (y - expit(v))[:, None], none
    if kind == "categorical":
        logs = log_softmax(np.column_stack([u, none]), axis=1)
        labels = y[:, None] == np.arange(3)
        return (labels * logs).sum(axis=1), (labels - np.exp(logs))[:, :2], none
    if kind == "poisson":
        return y * v - np.exp(v) - gammaln(y + 1.0), (y - np.exp(v))[:, None], none
    if kind == "gamma":
        a, ratio = np.exp(rho), y * np.exp(-v)
        log_ratio = np.log(y) - v
        value = a * (rho + log_ratio - ratio) - np.log(y) - gammaln(a)
        return value, (a * (ratio - 1.0))[:, None], a * (rho + log_ratio - ratio + 1.0 - digamma(a))
    rest, precision = y - v, np.exp(-rho)
    value = -0.5 * (rest**2 * precision + rho + np.log(2.0 * np.pi))
    return value, (rest * precision)[:, None], 0.5 * (rest**2 * precision - 1.0)


def loglik(problem, flat):
    """Return the total log-likelihood in the user's units and its gradient."""
    p, (K, m, d) = problem, problem.coef.shape
    coef, gate, rho = np.split(flat, [K * m * d, K * m * d + (K - 1) * d])
    coef, gate = coef.reshape(K, m, d), gate.reshape(K - 1, d)
    spread = np.broadcast_to(rho, K) if len(rho) else np.full(K, np.log(p.variance))
    y = p.y / p.unit
    logs = log_softmax(np.column_stack([p.Z @ gate.T, np.zeros(len(y))]), axis=1)
    parts = [_expert(p.kind, y, p.Z @ coef[k].T, spread[k]) for k in range(K)]
    joint = logs + np.column_stack([part[0] for part in parts])
    total = logsumexp(joint, axis=1)
    r = np.exp(joint - total[:, None])
    by_coef = [(r[:, k, None] * parts[k][1]).T @ p.Z for k in range(K)]
    by_gate = (r - np.exp(logs))[:, :-1].T @ p.Z
    by_rho = np.array([r[:, k] @ parts[k][2] for k in range(K)])
    by_rho = by_rho if len(rho) == K else by_rho.sum(keepdims=True)[: len(rho)]
    slope = np.concatenate([np.ravel(by_coef), by_gate.ravel(), by_rho])
    return total.sum() - len(y) * np.log(p.unit), slope


def best_from_truth(problem):
    """Return the log-likelihood that BFGS reaches from the truth, in units of the parameters' errors."""
    truth = np.concatenate([problem.coef.ravel(), problem.gate.ravel(), problem.rho])
    with np.errstate(all="ignore"):
        step = 1e-5 * np.abs(truth) + 1e-7
        curvature = [
            (loglik(problem, truth - h * e)[1] - loglik(problem, truth + h * e)[1]) @ e / (2.0 * h)
            for h, e in zip(step, np.eye(len(truth)))
        ]
        unit = 1.0 / np.sqrt(np.maximum(curvature, 1.0))

        def loss(v):
            value, slope = loglik(problem, truth + unit * v)
            return (-value, -slope * unit) if np.isfinite(value) else (np.inf, np.zeros_like(v))

        found = minimize(loss, np.zeros(len(truth)), jac=True, method="BFGS", options={"gtol": 1e-6})
    return -found.fun
