"""Ridge penalties of a mixture of experts: a quadratic form that is added to the loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.checks import one_for_all

LARGEST_PENALTY = 1e100
"""Of a ridge or a prior: beyond it products with data of ordinary size overflow."""


@dataclass(frozen=True)
class Ridge:
    """R(theta) = sum_k tau_k/2 sum_j lambda_j beta_kj^2 + 1/2 sum_j mu_j sum_k (w_kj - mean_k w_kj)^2.

    The experts' part is in units of each expert's dispersion, tau_k = 1 / sigma_k^2 for Gaussian
    experts, the shape for Gamma ones, else 1: rescaling y changes nothing, and the penalised
    M-step stays one linear or convex problem per expert (Staedler, Buehlmann, van de Geer 2010).
    The gate's part counts all K rows, w_K = 0 among them, around their mean: it is the least
    sum of squares over the gauge, so experts may be renamed.

    Attributes
    ----------
    expert : ndarray of shape (d_expert,) or None
        lambda, one for each column that the experts see.
    gate : ndarray of shape (d_gate,) or None
        mu, one for each column that the gate sees.
    index : dict of str to ndarray
        Where ``coef``, ``dispersion`` and ``gate`` lie in theta.
    family : Family
    """

    expert: Any
    gate: Any
    index: dict
    family: Any

    def __post_init__(self):
        if self.expert is not None and self.family.n_dispersion > 1:
            raise ValueError(
                f"expert_ridge must be 0 for family {self.family.name!r}, which has no single unit of y, "
                "got another"
            )

    def value(self, theta):
        """Return R(theta), for real or complex theta."""
        total = 0.0
        if self.expert is not None:
            total = total + 0.5 * (self._precision(theta) * self._squares(theta)).sum()
        if self.gate is not None:
            w = theta[self.index["gate"]]
            total = total + 0.5 * ((w**2).sum(axis=0) - w.sum(axis=0) ** 2 / (len(w) + 1)) @ self.gate
        return total

    def gradient(self, theta):
        """Return grad R, shape (p,)."""
        slope = np.zeros_like(theta)
        if self.expert is not None:
            precision = self._precision(theta)
            slope[self.index["coef"]] = precision[:, None, None] * self.expert * theta[self.index["coef"]]
            np.add.at(slope, *self._by_dispersion(0.5 * precision * self._squares(theta)))
        if self.gate is not None:
            w = theta[self.index["gate"]]
            slope[self.index["gate"]] = self.gate * (w - w.sum(axis=0) / (len(w) + 1))
        return slope

    def hessian(self, theta):
        """Return hess R, shape (p, p)."""
        full = np.zeros((len(theta), len(theta)))
        if self.expert is not None:
            self._add_experts(full, theta)
        if self.gate is not None:
            rows = self.index["gate"]
            full[np.ix_(rows.ravel(), rows.ravel())] = gate_form(self.gate, len(rows) + 1)
        return full

    def _add_experts(self, full, theta):
        precision, coef, s = self._precision(theta), self.index["coef"], self.family.precision_slope
        values = precision[:, None, None] * np.broadcast_to(self.expert, coef.shape)
        full[coef, coef] = values
        rows = self._dispersion_rows()
        if s == 0 or rows is None:
            return
        for k, row in enumerate(rows):
            cross = s * (values * theta[coef])[k].ravel()
            full[row, coef[k].ravel()] += cross
            full[coef[k].ravel(), row] += cross
            full[row, row] += 0.5 * s * s * precision[k] * self._squares(theta)[k]

    def _squares(self, theta):
        return (self.expert * theta[self.index["coef"]] ** 2).sum(axis=(1, 2))

    def _dispersion_rows(self):
        """Return where each expert's dispersion lies in theta, shape (K,), or None."""
        rows = self.index["dispersion"]
        return np.broadcast_to(rows, len(self.index["coef"])) if rows.size else None

    def _precision(self, theta):
        rows = self._dispersion_rows()
        values = self.family.precision(None if rows is None else theta[rows])
        return np.broadcast_to(values, len(self.index["coef"]))

    def _by_dispersion(self, values):
        rows = self._dispersion_rows()
        if rows is None:
            return np.zeros(0, dtype=int), np.zeros(0)
        return rows, self.family.precision_slope * values


def gate_form(ridge, n_experts):
    """Return the matrix of the gate's penalty in (w_1, ..., w_{K-1}), shape ((K-1) d, (K-1) d)."""
    free = n_experts - 1
    return np.kron(np.eye(free) - 1.0 / n_experts, np.diag(ridge))


def ridge_weights(name, value, n_features, columns):
    """Return a ridge for the given columns, or None for 0.

    Parameters
    ----------
    name : str
        The argument's name.
    value : float or array_like of shape (n_features,)
        Not negative; a number holds for every column.
    n_features : int
    columns : list of int
        Those that are seen.
    """
    weights = one_for_all(name, value, n_features)
    if (weights < 0).any():
        raise ValueError(f"{name} must not be negative, got {weights.min():g}")
    if (weights > LARGEST_PENALTY).any():
        raise ValueError(f"{name} must be at most {LARGEST_PENALTY:g}, got {weights.max():g}")
    return weights[columns] if weights[columns].any() else None
