"""The moduli of the terms that make up a mixture's log joint: what rounding errors are proportional to."""

from typing import Any

import numpy as np

UNITS = 8.0
"""Roundings of an expression of a few operations, at most."""


class MixtureTerms:
    """Sizes of predictors, log joints and losses, row by row."""

    n_experts: int
    family: Any
    gate: Any
    blocks: list
    predictors: Any
    posterior: Any

    def predictor_sizes(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return |x|'|theta| of every predictor, shape (blocks, n)."""
        rows = []
        for block in self.blocks:
            design, part = data.designs[block.features], np.abs(block.coefficients(theta))
            rows.append(np.full(len(data.y), part[0]) if design is None else np.abs(design.X) @ part)
            if design is not None and design.offset is not None:
                rows[-1] += np.abs(design.offset)
        return np.array(rows)

    def joint_terms(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return bounds of the rounding errors of log p(y, z = k | x), shape (K, n), in units of rounding.

        A log joint is within a few units of its terms, and of what the roundings of its predictors do through
        its score.
        """
        (xi, logits), sizes = self.predictors(data.designs, theta), self.predictor_sizes(data, theta)
        q, family, gate = self.family.n_predictors, self.family, np.abs(self.gate.log_probabilities(logits))
        gate = gate + sizes[self.n_experts * q :].sum(axis=0)
        experts = [
            np.abs(family.log_density(data.y, part))
            + (np.abs(family.score(data.y, part)).T * sizes[k * q : (k + 1) * q]).sum(axis=0)
            + family.cancellation(data.y, part)
            for k, part in enumerate(xi)
        ]
        return UNITS * (1.0 + gate + np.array(experts))

    def loss_terms(self, data: Any, theta: np.ndarray) -> np.ndarray:
        """Return the same for each row's loss, shape (n,): an average over the experts."""
        return (self.posterior(data, theta)[1] * self.joint_terms(data, theta)).sum(axis=0)
