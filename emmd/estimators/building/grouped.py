"""Repeated measures: all rows of a group, such as one subject, come from one expert."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.checks import positive_integer
from emmd.models.mixture.data import MixtureData
from emmd.models.mixture.model import MixtureOfExperts
from emmd.rows.design import Design
from emmd.rows.predictors import free
from emmd.rows.weighted_rows import Rows


@dataclass(frozen=True)
class GroupedData(MixtureData):
    """A weighted sample of groups.

    Attributes
    ----------
    groups : ndarray of int of shape (n,)
        The group of each row, 0, ..., G - 1.
    share : ndarray of shape (n,)
        One over the number of rows in the row's group.
    """

    groups: np.ndarray
    share: np.ndarray

    @property
    def gate_weights(self):
        """A group's weight, shared evenly among its rows: the gate chooses once for all of them."""
        return self.weights * self.share

    def summed(self, rows):
        """Return the sums over each group, shape (..., G), of values of rows, (..., n)."""
        order = np.argsort(self.groups, kind="stable")
        starts = np.searchsorted(self.groups[order], np.arange(self.groups.max() + 1))
        return np.add.reduceat(rows[..., order], starts, axis=-1)

    def rows(self, part=None, r=None):
        """Return what a fit to responsibilities sees; the gate's rows have its weights."""
        if part != "gate":
            return super().rows(part, r)
        design = self.designs["gate"]
        return Rows(design, np.ascontiguousarray(r), design.weights)


class GroupedMixture(MixtureOfExperts):
    """`MixtureOfExperts` whose z is one for all rows of a group; the gate sees what these have in common.

    For fits and what follows from their likelihood. The rows of a group depend on each other, so a row has no
    natural parameter of its own, and no claim is made of it.

    Parameters
    ----------
    n_features, n_experts, family
        As in `MixtureOfExperts`.
    group_column : int
        Column of X with the number of each row's group; neither experts nor gate see it.
    **options
        Of `MixtureOfExperts`, without a ridge on the gate.
    """

    takes_partitions = False
    fused = None

    def __init__(
        self, n_features: int, n_experts: int, family: Any, *, group_column: int, **options: Any
    ) -> None:
        self.group_column = positive_integer("group_column", group_column, minimum=0, maximum=n_features - 1)
        super().__init__(n_features, n_experts, family, **options)
        if self.ridge is not None and self.ridge.gate is not None:
            raise ValueError("gate_ridge must be 0 where rows have groups, got another")

    def prepare(self, X: Any, y: Any, weights: np.ndarray) -> GroupedData:
        """Check the target, and that weights and the gate's features are the same in all rows of a group."""
        data = super().prepare(X, y, weights)
        groups = np.unique(X[:, self.group_column], return_inverse=True)[1]
        sizes = np.bincount(groups)
        first = np.unique(groups, return_index=True)[1][groups]
        if not np.allclose(weights, weights[first], rtol=1e-9, atol=0.0):
            raise ValueError("groups must not cut across sample_weight: rows of a group must have one weight")
        columns = self.columns["gate"]
        if columns is not None and not np.allclose(X[:, columns], X[first][:, columns], rtol=1e-9, atol=1e-9):
            row = int(np.argmax(np.abs(X[:, columns] - X[first][:, columns]).max(axis=1) > 1e-9))
            raise ValueError(
                "groups must share the gate's features, since they share an expert, got others in row "
                f"{row} than in row {first[row]}: use gate_features or gate='constant'"
            )
        share = 1.0 / sizes[groups]
        gate_weights = weights * share
        seen = X[:, self.columns["expert"] if columns is None else columns]
        designs = data.designs | {"gate": Design(seen, gate_weights / gate_weights.sum())}
        unit = self._unit(designs, data.sizes)
        return GroupedData(X, designs, data.y, self.family, data.sizes, unit, groups, share)

    def _log_joint_at(self, data, xi, logits):
        """Return log p(all y of the group, z = k | x) for every row, shape (K, n)."""
        rows = np.array([self.family.log_density(data.y, part) for part in xi])
        return self.gate.log_probabilities(logits) + data.summed(rows)[:, data.groups]

    def m_step(self, data: Any, responsibilities: np.ndarray, start: np.ndarray) -> Any:
        """Do as a mixture does; responsibilities that differ within a group are averaged."""
        K = self.n_experts
        if responsibilities.shape[1] == K:
            means = data.summed(responsibilities.T) / np.bincount(data.groups)
            responsibilities = means[:, data.groups].T
        return super().m_step(data, responsibilities, start)

    def _missing(self, data, theta, r):
        """Return the posterior covariance of the complete scores of whole groups."""
        xi, logits = self.predictors(data.designs, theta)
        shares = r[:, np.unique(data.groups, return_index=True)[1]]
        weights = data.summed(data.gate_weights)
        scores = [data.summed(self._complete_scores(data, k, xi, logits)) for k in range(self.n_experts)]
        mean = sum(share * score for share, score in zip(shares, scores))
        missing = sum((weights * share * score) @ score.T for share, score in zip(shares, scores))
        missing = missing - (weights * mean) @ mean.T
        hidden = self.family.missing(data.y, xi[0])
        return missing if hidden is None else missing + self._missing_of_family(data, r, xi)

    def _missing_of_family(self, data, r, xi):
        """Return what a family's own hidden variables add, which are independent given z."""
        q = self.family.n_predictors
        second = np.zeros((len(data.y), len(self.blocks), len(self.blocks)))
        for k, part in enumerate(xi):
            own = slice(k * q, (k + 1) * q)
            second[:, own, own] = (data.weights * r[k])[:, None, None] * self.family.missing(data.y, part)
        return self.pull_back_second(data, second)

    def _complete_scores(self, data, k, xi, logits):
        """Return the scores of each row's share in log p(y, z = k | x), but for what all z share, (p, n)."""
        q, of_gate = self.family.n_predictors, self.gate.indicators(logits)
        own = self.family.score(data.y, xi[k]).T
        scores = np.zeros((self.n_params, len(data.y)))
        for a, block in free(self.blocks):
            expert, j = divmod(a, q)
            if expert >= self.n_experts:
                slope = of_gate[a - self.n_experts * q].get(k, 0.0) * data.share
            elif expert == k:
                slope = own[j]
            else:
                continue
            design = data.designs[block.features]
            scores[block.entries] += slope if design is None else slope * design.X.T
        return scores

    def _chosen(self, X, cumulative, rng):
        groups = np.unique(X[:, self.group_column], return_inverse=True)[1]
        return (rng.random(groups.max() + 1)[groups] > cumulative[:-1]).sum(axis=0)

    def natural_parameters(self, data: Any, rows: np.ndarray) -> np.ndarray:
        """Refuse: what a row adds to the likelihood depends on the others of its group."""
        raise TypeError("rows of a group share their expert: a row has no natural parameter of its own")
