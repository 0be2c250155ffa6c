"""An oracle in a hundred digits: losses, gradients and divergences from the definitions alone."""

import mpmath as mp
import numpy as np

DIGITS = 100


def _log_sum(terms):
    largest = max(terms)
    return largest + mp.log(sum(mp.exp(term - largest) for term in terms))


def _log_sigmoid(u):
    return -mp.log1p(mp.exp(-u)) if u > 0 else u - mp.log1p(mp.exp(u))


def _gaussian(y, u, variance):
    return -((y - u) ** 2 / variance + mp.log(2 * mp.pi * variance)) / 2


def _density(family, y, predictors):
    """Return log p(y) of one expert for its predictors."""
    u = predictors[0]
    if family.name == "gaussian":
        variance = mp.mpf(family.known) if family.known is not None else mp.exp(predictors[1])
        return _gaussian(y, u, variance)
    if family.name == "bernoulli":
        return _log_sigmoid(u if y == 1 else -u)
    if family.name == "categorical":
        logits = [*predictors, mp.mpf(0)]
        return logits[int(y)] - _log_sum(logits)
    if family.name == "poisson":
        return y * u - mp.exp(u) - mp.loggamma(y + 1)
    shape = mp.exp(predictors[1])
    rate = shape * mp.exp(-u)
    return shape * mp.log(rate) + (shape - 1) * mp.log(y) - rate * y - mp.loggamma(shape)


def _kl(family, v, u):
    """Return KL(p_v || p_u) of one expert."""
    if family.name == "gaussian":
        if family.known is not None:
            return (v[0] - u[0]) ** 2 / (2 * mp.mpf(family.known))
        ratio = mp.exp(v[1] - u[1])
        return (ratio - 1 - (v[1] - u[1]) + (v[0] - u[0]) ** 2 * mp.exp(-u[1])) / 2
    if family.name in ("bernoulli", "categorical"):
        logits = [[*each, mp.mpf(0)] for each in (v, u)]
        logs = [[logit - _log_sum(row) for logit in row] for row in logits]
        return sum(mp.exp(a) * (a - b) for a, b in zip(*logs))
    if family.name == "poisson":
        return mp.exp(v[0]) * (v[0] - u[0]) - mp.exp(v[0]) + mp.exp(u[0])
    a, b = mp.exp(v[1]), mp.exp(u[1])
    rates = a * mp.exp(-v[0]), b * mp.exp(-u[0])
    gap = (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b)
    return gap + b * (mp.log(rates[0]) - mp.log(rates[1])) + a * (rates[1] - rates[0]) / rates[0]


class Exact:
    """A problem's quantities to a hundred digits; the data and parameters are the floats as they are.

    Parameters
    ----------
    problem : emmd.Problem
        Of a symmetric model or a mixture of experts, without penalty; few rows.
    """

    def __init__(self, problem):
        self.model, self.weights = problem.model, [mp.mpf(float(c)) for c in problem.weights]
        self.X = [[mp.mpf(float(v)) for v in row] for row in problem.X]
        self.y = [mp.mpf(float(v)) for v in problem.y]
        self.symmetric = not hasattr(self.model, "family")

    def _exact(self, theta):
        return [v if isinstance(v, mp.mpf) else mp.mpf(float(v)) for v in theta]

    def _predictors(self, theta, x):
        """Return each expert's predictors and the gate's log probabilities."""
        if self.symmetric:
            d = self.model.n_features
            a, b = mp.fdot(x, theta[:d]), mp.fdot(x, theta[d:])
            return [[a], [-a]], [_log_sigmoid(b), _log_sigmoid(-b)]
        parts = []
        for block in self.model.blocks:
            entries = [theta[j] for j in block.entries]
            name = {"expert": "expert", "gate": "gate"}.get(block.features)
            columns = self.model.columns[name] if name else None
            parts.append(entries[0] if columns is None else mp.fdot([x[j] for j in columns], entries))
        q, K = self.model.family.n_predictors, self.model.n_experts
        logits = [*parts[K * q :], mp.mpf(0)]
        total = _log_sum(logits)
        return [parts[k * q : (k + 1) * q] for k in range(K)], [logit - total for logit in logits]

    def _expert(self, y, predictors):
        if not self.symmetric:
            return _density(self.model.family, y, predictors)
        if self.model.has_density:
            return _gaussian(y, predictors[0], mp.mpf(self.model.sigma) ** 2)
        return _log_sigmoid(y * predictors[0])

    def _expert_kl(self, v, u):
        if not self.symmetric:
            return _kl(self.model.family, v, u)
        if self.model.has_density:
            return (v[0] - u[0]) ** 2 / (2 * mp.mpf(self.model.sigma) ** 2)
        p, q = ((_log_sigmoid(each[0]), _log_sigmoid(-each[0])) for each in (v, u))
        return sum(mp.exp(a) * (a - b) for a, b in zip(p, q))

    def _joint(self, theta, x, y):
        experts, gate = self._predictors(theta, x)
        return [g + self._expert(y, part) for g, part in zip(gate, experts)]

    def _average(self, values):
        return mp.fdot(self.weights, values)

    def loss(self, theta):
        theta = self._exact(theta)
        return -self._average([_log_sum(self._joint(theta, x, y)) for x, y in zip(self.X, self.y)])

    def gradient(self, theta):
        """By central differences at a relative step of 1e-30, whose own error is 1e-60 relative."""
        theta, slopes = self._exact(theta), []
        for j in range(len(theta)):
            h = mp.mpf(10) ** -30 * (abs(theta[j]) or 1)
            ends = [[v + side * h * (i == j) for i, v in enumerate(theta)] for side in (1, -1)]
            slopes.append((self.loss(ends[0]) - self.loss(ends[1])) / (2 * h))
        return slopes

    def divergence(self, u, v):
        u, v, rows = self._exact(u), self._exact(v), []
        for x in self.X:
            (experts_u, gate_u), (experts_v, gate_v) = self._predictors(u, x), self._predictors(v, x)
            parts = zip(gate_v, gate_u, experts_v, experts_u)
            rows.append(sum(mp.exp(a) * (a - b + self._expert_kl(s, t)) for a, b, s, t in parts))
        return self._average(rows)

    def _posterior(self, theta, x, y):
        joint = self._joint(theta, x, y)
        total = _log_sum(joint)
        return [term - total for term in joint]

    def posterior_divergence(self, u, v):
        u, v, rows = self._exact(u), self._exact(v), []
        for x, y in zip(self.X, self.y):
            logs = zip(self._posterior(v, x, y), self._posterior(u, x, y))
            rows.append(sum(mp.exp(a) * (a - b) for a, b in logs))
        return self._average(rows)

    def surrogate(self, theta_t, theta):
        """Q(theta | theta_t)."""
        old, new, rows = self._exact(theta_t), self._exact(theta), []
        for x, y in zip(self.X, self.y):
            weights = self._posterior(old, x, y)
            rows.append(-sum(mp.exp(a) * b for a, b in zip(weights, self._joint(new, x, y))))
        return self._average(rows)


def exact(problem):
    mp.mp.dps = DIGITS
    return Exact(problem)


def error(value, truth):
    """Return |value - truth| as a float."""
    return float(abs(mp.mpf(float(value)) - truth)) if np.isfinite(value) else np.inf
