"""Bounds of rounding errors in a mixture of experts, row by row."""

from typing import Any

import numpy as np

from emmd.core.blocks import free
from emmd.core.softmax_gate import log_softmax


class MixtureRounding:
    """What rounding does to a row's loss and to its slopes, in units of the machine precision."""

    n_experts: int
    n_params: int
    family: Any
    blocks: list
    predictors: Any
    e_step: Any
    _scores: Any
    _gate_row: Any

    def rounding_rows(self, data, theta):
        """Bound the rounding errors of losses and slopes of each row.

        A log joint is within a few units of its terms and of what the roundings of
        its predictors, |x|'|theta| each, do through its score; its error reaches a
        slope through the responsibilities.
        """
        xi, logits = self.predictors(data.designs, theta)
        r = self.e_step(data, theta).responsibilities.T
        scores, p = self._scores(data, xi, logits)
        sizes = self._predictor_sizes(data, theta)
        q, K = self.family.n_predictors, self.n_experts
        likelihood = np.array([self.family.log_density(data.y, part) for part in xi])
        through = np.array([(np.abs(scores[k]) * sizes[k * q : (k + 1) * q]).sum(axis=0) for k in range(K)])
        joint = 8.0 * (1.0 + np.abs(log_softmax(logits)) + np.abs(likelihood) + through)
        joint = joint + 8.0 * sizes[K * q :].sum(axis=0) + 8.0 * self.family.cancellation(data.y, xi)
        mean_error = (r * joint).sum(axis=0)
        terms = np.stack([self._slope_size(scores, r, p, a) for a in range(len(self.blocks))], axis=1)
        curved = np.stack([self._carried(data, xi, sizes, r, p, a) for a in range(len(self.blocks))], axis=1)
        return (
            mean_error,
            terms,
            2.0 * terms * (mean_error + joint.max(axis=0) * (1 - r.max(axis=0)))[:, None] + curved,
        )

    def _predictor_sizes(self, data, theta):
        rows = []
        for block in self.blocks:
            design, part = data.designs[block.features], np.abs(block.coefficients(theta))
            rows.append(np.full(len(data.y), part[0]) if design is None else np.abs(design.X) @ part)
        return np.array(rows)

    def _slope_size(self, scores, r, p, a):
        k, j = divmod(a, self.family.n_predictors)
        if k < self.n_experts:
            return r[k] * np.abs(scores[k][j])
        return r[self._gate_row(a)] + p[self._gate_row(a)]

    def _carried(self, data, xi, sizes, r, p, a):
        """Return 8 times the change of a slope under relative errors of its own expert's predictors."""
        q = self.family.n_predictors
        k, j = divmod(a, q)
        if k < self.n_experts:
            own = np.abs(self.family.curvature(data.y, xi[k])[:, j, :]).T
            return 8.0 * r[k] * (own * sizes[k * q : (k + 1) * q]).sum(axis=0)
        return 8.0 * p[self._gate_row(a)] * (1.0 + sizes[self.n_experts * q :].sum(axis=0))

    def absolute_pull_back(self, data, slopes):
        """Return the pull-back with the moduli of the features, shape (p,)."""
        bound = np.zeros(self.n_params)
        for a, block in free(self.blocks):
            design, slope = data.designs[block.features], slopes[:, a]
            np.add.at(bound, block.entries, slope.sum() if design is None else np.abs(design.X.T) @ slope)
        return bound
