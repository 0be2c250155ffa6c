"""Bregman projection of given mean statistics onto a mixture's model set: an M-step for any statistics."""

from typing import Any

import numpy as np

from emmd.core.protocols.steps import MStep
from emmd.rows.weighted_rows import Rows


class MixtureProjection:
    """E[A(eta(x; theta)) - <S, eta(x; theta)>] for mean statistics S = (r_k T_k, r_k)_k of every row."""

    n_experts: int
    family: Any
    predictors: Any
    _pull_back_scores: Any
    _pull_back_curvatures: Any
    _fit_parts: Any
    fit_options: Any

    def project(self, data: Any, statistics: np.ndarray, start: np.ndarray, total: float = 1.0) -> MStep:
        """Minimise E[total A(eta) - <S, eta>] plus the ridge; return an `MStep`.

        Parameters
        ----------
        statistics : ndarray of shape (n, K (S + 1))
            The last K columns are not negative and sum to `total`.
        start : ndarray of shape (p,)
        total : float
            Observations and pseudo-observations per row.
        """
        r, means = self._split_statistics(statistics)
        weights, design = data.weights, data.designs["expert"]

        def fit(k, coef):
            return self.family.fit(Rows(design, means[k], weights * r[k]), coef, **self.fit_options)

        return self._fit_parts(data, r, start, start, fit, total)

    def projection_gradient(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the gradient of E[A(eta) - <S, eta>] in theta, without the ridge, shape (p,)."""
        r, means = self._split_statistics(statistics)
        xi, logits = self.predictors(data.designs, theta)
        scores = [self.family.score_at(mean, part).T for mean, part in zip(means, xi)]
        return self._pull_back_scores(data, r, scores, logits)

    def projection_hessian(self, data: Any, statistics: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian of E[A(eta) - <S, eta>] in theta, without the ridge, shape (p, p)."""
        r, means = self._split_statistics(statistics)
        xi, logits = self.predictors(data.designs, theta)
        curvatures = [self.family.curvature_at(mean, part) for mean, part in zip(means, xi)]
        return self._pull_back_curvatures(data, r, curvatures, logits)

    def _split_statistics(self, statistics):
        """Return the masses r, shape (K, n), and the means T_k, K arrays of shape (n, S)."""
        K, S = self.n_experts, self.family.n_statistics
        r = np.ascontiguousarray(statistics[:, K * S :].T)
        parts = [statistics[:, k * S : (k + 1) * S] for k in range(K)]
        # where a mass has underflowed to 0 the mean has no say
        means = [part / np.where(mass > 0, mass, 1.0)[:, None] for part, mass in zip(parts, r)]
        return r, means
