"""Bounds of rounding errors in a mixture of experts, row by row."""

from typing import Any

import numpy as np

from emmd.core.rounding import EPS
from emmd.models.gates.softmax import log_softmax
from emmd.rows.predictors import free

_KNOWN = 0.1

_UNITS = 8.0
"""Roundings of an expression of a few operations, at most."""


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

    def rounding_rows(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bound the rounding errors of losses and slopes of each row.

        A log joint is within a few units of its terms and of what the roundings of
        its predictors, |x|'|theta| each, do through its score; its error reaches a
        slope through the responsibilities.
        """
        at = _At(self, data, theta)
        loss = (at.r * at.joint).sum(axis=0)
        terms = np.stack([self._slope_size(at, a) for a in range(len(self.blocks))], axis=1)
        carried = np.stack([self._carried(at, a) for a in range(len(self.blocks))], axis=1)
        return loss, terms, carried

    def _slope_size(self, at, a):
        """Return the moduli of the terms that are added up to the slope in predictor a."""
        k, j = divmod(a, self.family.n_predictors)
        if k < self.n_experts:
            return at.r[k] * at.score_terms[k][:, j]
        return at.r[self._gate_row(a)] + at.p[self._gate_row(a)]

    def _carried(self, at, a):
        """Return what errors of responsibilities and of its own predictors do to the slope in predictor a."""
        q = self.family.n_predictors
        k, j = divmod(a, q)
        if k < self.n_experts:
            own = np.abs(self.family.curvature(at.y, at.xi[k])[:, j, :]).T
            moved = _UNITS * at.r[k] * (own * at.sizes[k * q : (k + 1) * q]).sum(axis=0)
            return at.relative(at.log_r, at.joint, k) * np.abs(at.scores[k][j]) + moved
        k = self._gate_row(a)
        logits = np.concatenate([at.sizes[self.n_experts * q :], np.zeros_like(at.r[:1])])
        return at.relative(at.log_r, at.joint, k) + at.relative(at.log_p, _UNITS * (1.0 + logits), k)

    def natural_rounding(self, data: Any, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bound the rounding errors of eta and of grad l(eta) for every row.

        Returns
        -------
        eta : ndarray of shape (n, D)
        slope : ndarray of shape (n, D)
            The errors that eta's own errors carry included.
        """
        at, q, K = _At(self, data, theta), self.family.n_predictors, self.n_experts
        statistics = np.abs(self.family.statistics(data.y))
        natural, levels, slopes, gate_slopes = [], [], [], []
        logits = [*at.sizes[K * q :], np.zeros_like(at.r[0])]
        # the evidence is added up from <T, nu> and a(nu), which may cancel where the density itself does not
        terms = np.array([self.family.natural_terms(data.y, xi) for xi in at.xi])
        joint = at.joint + _UNITS * terms
        for k, xi in enumerate(at.xi):
            nu = self.family.natural(xi)
            mean, jacobian = np.abs(self.family.mean(nu)), np.abs(self.family.natural_jacobian(xi))
            moved = np.einsum("nsq,qn->ns", jacobian, at.sizes[k * q : (k + 1) * q])
            natural.append(_UNITS * (np.abs(nu) + moved))
            partition = np.abs(self.family.log_partition(nu)) + (mean * moved).sum(axis=1)
            levels.append(_UNITS * (np.abs(logits[k]) + partition))
            both = [
                at.relative(logs, joint, k) + _UNITS * each[k]
                for logs, each in ((at.log_r, at.r), (at.log_p, at.p))
            ]
            curved = np.einsum("nst,nt->ns", np.abs(self.family.variance(nu)), natural[-1])
            slopes.append(both[0][:, None] * statistics + both[1][:, None] * mean + at.p[k][:, None] * curved)
            gate_slopes.append(both[0] + both[1])
        return np.column_stack([*natural, *levels]), np.column_stack([*slopes, *gate_slopes])

    def absolute_pull_back(self, data: Any, slopes: np.ndarray) -> np.ndarray:
        """Return the pull-back with the moduli of the features, shape (p,)."""
        bound = np.zeros(self.n_params)
        for a, block in free(self.blocks):
            design, slope = data.designs[block.features], slopes[:, a]
            np.add.at(bound, block.entries, slope.sum() if design is None else np.abs(design.X.T) @ slope)
        return bound


class _At:
    """What the bounds at one parameter share.

    Attributes
    ----------
    xi : list of ndarray of shape (n, q)
    r, p : ndarray of shape (K, n)
        Responsibilities and the gate's probabilities.
    sizes : ndarray of shape (blocks, n)
        |x|'|theta| of every predictor.
    joint : ndarray of shape (K, n)
        Bounds of the errors of the log joints.
    log_p, log_r : ndarray of shape (K, n)
        Logs of the gate's probabilities, and log joints.
    scores, score_terms : list of ndarray
        The experts' scores, (q, n), and the moduli of the terms they are differences of, (n, q).
    """

    def __init__(self, model, data, theta):
        self.y, family, K = data.y, model.family, model.n_experts
        self.xi, logits = model.predictors(data.designs, theta)
        self.r = model.e_step(data, theta).responsibilities.T
        self.scores, self.p = model._scores(data, self.xi, logits)
        self.score_terms = [family.score_terms(data.y, part) for part in self.xi]
        self.sizes, q = _predictor_sizes(model, data, theta), family.n_predictors
        likelihood = np.array([family.log_density(data.y, part) for part in self.xi])
        through = [(self.score_terms[k].T * self.sizes[k * q : (k + 1) * q]).sum(axis=0) for k in range(K)]
        joint = 1.0 + np.abs(log_softmax(logits)) + np.abs(likelihood) + np.array(through)
        joint = joint + np.array([family.cancellation(data.y, part) for part in self.xi])
        self.joint = _UNITS * (joint + self.sizes[K * q :].sum(axis=0))
        self.log_p = log_softmax(logits)
        self.log_r = self.log_p + likelihood

    @staticmethod
    def relative(logs, errors, k):
        """Return what errors of all log weights do to the k-th of the probabilities they are made into.

        Parameters
        ----------
        logs, errors : ndarray of shape (K, n)
            Log weights, and the bounds of their errors in units of the machine precision.
        k : int
        """
        weights = np.exp(logs - logs.max(axis=0))
        p = weights / weights.sum(axis=0)
        others = (p * errors).sum(axis=0) - p[k] * errors[k]
        small = 2.0 * p[k] * (errors[k] * (1.0 - p[k]) + others)
        # a log weight that is not known to a tenth, and may be the largest, says nothing of any probability
        first = np.take_along_axis(errors, logs.argmax(axis=0)[None], axis=0)
        doubt = EPS * (errors + first)
        unknown = ((doubt > _KNOWN) & (logs.max(axis=0) - logs <= 4.0 * doubt)).any(axis=0)
        return np.where(unknown, 1.0 / EPS, small)


def _predictor_sizes(model, data, theta):
    rows = []
    for block in model.blocks:
        design, part = data.designs[block.features], np.abs(block.coefficients(theta))
        rows.append(np.full(len(data.y), part[0]) if design is None else np.abs(design.X) @ part)
    return np.array(rows)
