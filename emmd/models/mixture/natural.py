"""A mixture of experts as the exponential family of (y, z) for one x: S = (1[z=k] T(y), 1[z=k])_k."""

from typing import Any

import numpy as np

from emmd.rows.predictors import free, predictor, pull_back


def log_sum_exp(terms):
    """Return log sum exp over a list of real or complex rows."""
    stacked = np.stack(terms)
    largest = stacked.real.max(axis=0)
    return largest + np.log(np.exp(stacked - largest).sum(axis=0))


class MixtureNatural:
    """Natural parameters, log partition function and divergences, for real or complex arguments."""

    n_experts: int
    n_params: int
    family: Any
    gate: Any
    blocks: list
    predictors: Any
    log_joint: Any
    posterior_at: Any

    def predictor_rows(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return all predictors, shape (n, number of blocks)."""
        return np.column_stack([predictor(data.designs, block, theta) for block in self.blocks])

    def pull_back(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return the gradient in theta for derivatives in the predictors, shape (n, number of blocks)."""
        return pull_back(data.designs, self.blocks, slopes.T, self.n_params)

    def natural_parameters(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Return eta = (nu_1, ..., nu_K, g_k - a(nu_k)), shape (n, K (S + 1)); predictors may be complex."""
        q, K = self.family.n_predictors, self.n_experts
        nu = [self.family.natural(rows[:, k * q : (k + 1) * q]) for k in range(K)]
        gate = self.gate.log_weights(rows[:, K * q :].T)
        levels = [g - self.family.log_partition(part) for g, part in zip(gate, nu)]
        return np.column_stack([*nu, *levels])

    def log_partition(self, eta: np.ndarray) -> np.ndarray:
        """Return A(eta) = logsumexp_k( eta_k2 + a(eta_k1) ), shape (n,)."""
        nu, levels = self._split_natural(eta)
        return log_sum_exp([level + self.family.log_partition(part) for level, part in zip(levels, nu)])

    def log_numerator(self, data: Any, eta: np.ndarray) -> np.ndarray:
        """Return A_y(eta) = log sum_k h(y) exp(<T(y), eta_k1> + eta_k2), shape (n,)."""
        nu, levels = self._split_natural(eta)
        terms = [self.family.log_numerator(data.y, part) + level for level, part in zip(levels, nu)]
        return log_sum_exp(terms)

    def mean_statistics(self, eta: np.ndarray) -> np.ndarray:
        """Return grad A(eta) = E[S | x], shape (n, K (S + 1))."""
        nu, levels = self._split_natural(eta)
        weights = np.array([level + self.family.log_partition(part) for level, part in zip(levels, nu)])
        p = np.exp(weights - log_sum_exp(weights)).T
        return np.column_stack([*(p[:, [k]] * self.family.mean(part) for k, part in enumerate(nu)), p])

    def statistics(self, data: Any, responsibilities: np.ndarray) -> np.ndarray:
        """Return (r_1 T(y), ..., r_K T(y), r_1, ..., r_K) for every row, shape (n, K (S + 1)).

        What an E-step answers where a family hides something is that already; for responsibilities alone,
        such as those of a start, T is what the family takes it for when nothing is known.
        """
        if responsibilities.shape[1] > self.n_experts:
            return responsibilities
        statistics = self.family.statistics(data.y)
        return np.column_stack([*(r[:, None] * statistics for r in responsibilities.T), responsibilities])

    def _mean_statistics(self, data, theta, r):
        xi = self.predictors(data.designs, theta)[0]
        experts = [mass[:, None] * self.family.expected_statistics(data.y, part) for mass, part in zip(r, xi)]
        return np.column_stack([*experts, r.T])

    def row_gradients(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of log p(y | x) in every row, without weights and penalty, shape (n, p)."""
        xi, logits = self.predictors(data.designs, theta)
        r = self.posterior_at(data, xi, logits)[1]
        slopes = [r[k] * part for k, xi_k in enumerate(xi) for part in self.family.score(data.y, xi_k).T]
        slopes += list(self.gate.score(r, logits))
        gradients = np.zeros((len(data.y), self.n_params))
        for a, block in free(self.blocks):
            design = data.designs[block.features]
            part = slopes[a][:, None]
            gradients[:, block.entries] += part if design is None else part * design.X
        return gradients

    def _split_natural(self, eta):
        K, S = self.n_experts, self.family.n_statistics
        return [eta[:, k * S : (k + 1) * S] for k in range(K)], list(eta[:, K * S :].T)

    def divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return E KL( p_v(y,z|x) || p_u(y,z|x) ), the Bregman divergence of the natural parameters."""
        (xi_u, logits_u), (xi_v, logits_v) = (self.predictors(data.designs, theta) for theta in (u, v))
        log_u, log_v = (self.gate.log_probabilities(logits) for logits in (logits_u, logits_v))
        inner = np.array([self.family.divergence(a, b) for a, b in zip(xi_u, xi_v)])
        return self._average(data, np.exp(log_v) * (log_v - log_u + inner))

    def posterior_divergence(self, data: Any, u: np.ndarray, v: np.ndarray) -> float:
        """Return E KL( p_v(z|x,y) || p_u(z|x,y) ), z with whatever else is hidden."""
        if self.family.hidden:
            return super().posterior_divergence(data, u, v)  # type: ignore[misc]
        log_u, log_v = (self._log_posterior(data, theta) for theta in (u, v))
        return self._average(data, np.exp(log_v) * (log_v - log_u))

    def _log_posterior(self, data, theta):
        joint = self.log_joint(data, theta)
        largest = joint.max(axis=0)
        return joint - (largest + np.log(np.exp(joint - largest).sum(axis=0)))

    @staticmethod
    def _average(data, per_expert):
        return float(np.sum(data.designs["expert"].weights * per_expert.sum(axis=0)))
