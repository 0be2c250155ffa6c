"""What a gate is: how K - 1 linear functions of the features become probabilities of K experts."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from emmd.core.checks import instance
from emmd.core.discover import Found, discover
from emmd.core.numerics.derivatives import row_gradient, row_hessian
from emmd.fits.newton import NewtonResult, newton_by_values

NEVER = 1e100
"""How far log weights of experts that a sparse gate leaves out lie below: no likelihood makes up for it."""


class Gate(ABC):
    """P(z = k | x) proportional to ``exp(log_weights(logits)_k)``, the logits linear in the features.

    A plug-in writes `log_weights`. The M-step, the score and the curvature are derived from it; a gate that
    knows them in closed form overrides them.

    Attributes
    ----------
    name : str
    sees_features : bool
        Whether logits are linear functions of the features; else each is one number.
    canonical : bool
        Whether the log weights are the logits themselves, with 0 for the last expert, or those of some
        experts: then score and curvature are those of a softmax.
    sparse : bool
        Whether `selection` leaves experts out.
    settled : bool
        Whether probabilities do not change with the logits as long as the selection does not.
    """

    name: str
    sees_features = True
    canonical = False
    sparse = False
    settled = False

    @abstractmethod
    def log_weights(self, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return log weights up to a constant for each row, shape (K, n).

        Parameters
        ----------
        logits : ndarray of shape (K - 1, n)
            Real or complex.
        selected : ndarray of bool of shape (K, n), optional
            What `selection` has returned, maybe at other logits; what it returns at these by default.
        """

    def selection(self, logits: np.ndarray) -> np.ndarray | None:
        """Return which experts take part, bool of shape (K, n), where that depends on logits; None: all do.

        Identities of EM hold between parameters with the same selection.
        """
        return None

    def log_probabilities(self, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return log P(z = k | x), shape (K, n), for real or complex logits of shape (K - 1, n)."""
        weights = self.log_weights(logits, selected)
        largest = weights.real.max(axis=0)
        return weights - (largest + np.log(np.exp(weights - largest).sum(axis=0)))

    def fit(self, rows: Any, start: np.ndarray, form: np.ndarray | None = None) -> NewtonResult:
        """Minimise ``-E[sum_k r_k log P(z = k | x)] + w' form w / 2`` over W: the gate's M-step.

        Parameters
        ----------
        rows : RowSums
            The gate's features, responsibilities r of shape (K, n), and weights with sum 1.
        start : ndarray of shape (K - 1, d)
            Who is selected there stays so.
        form : ndarray of shape ((K - 1) d, (K - 1) d), optional
            Of a ridge penalty.

        Returns
        -------
        NewtonResult
            With ``x`` of length (K - 1) d.
        """
        form = np.zeros((start.size, start.size)) if form is None else form

        def evaluate(flat):
            value, slope, hessian = rows.add_up(_derivatives, self, flat.reshape(start.shape), start)
            return value + 0.5 * flat @ form @ flat, slope + form @ flat, hessian + form

        scale = np.tile(rows.design.scale, len(start))
        return newton_by_values(evaluate, start.ravel(), scale)

    def score(self, r: np.ndarray, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return the derivatives of ``sum_k r_k log P(z = k | x)`` in the logits, shape (K - 1, n)."""
        if self.canonical:
            return (r - np.exp(self.log_probabilities(logits, selected)))[:-1]

        def rows(points):
            return (r * self.log_probabilities(points.T, selected)).sum(axis=0)

        return row_gradient(rows, logits.T).T

    def curvature(self, r: np.ndarray, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return minus its second derivatives, shape (n, K - 1, K - 1)."""
        if self.canonical:
            p = np.exp(self.log_probabilities(logits, selected))[:-1]
            return p.T[:, :, None] * np.eye(len(p)) - p.T[:, :, None] * p.T[:, None, :]
        return -row_hessian(lambda points: self.score(r, points.T, selected).T, logits.T)

    def indicators(self, logits: np.ndarray, selected: Any = None) -> list[dict[int, Any]]:
        """Return for each logit the derivatives of the log weights, by the experts whose weights it moves."""
        K = len(logits) + 1
        if self.canonical:
            return [{k: 1.0} for k in range(K - 1)]
        jacobian = row_gradient(lambda points: self.log_weights(points.T, selected).T, logits.T)
        return [{k: jacobian[:, k, j] for k in range(K)} for j in range(K - 1)]


def _derivatives(rows, gate, W, start):
    """Return value, gradient and Hessian in W of the cross entropy, the selection being that at the start."""
    design, r = rows.design, rows.statistics
    logits = np.array([design.predict(w) for w in W])
    selected = gate.selection(np.array([design.predict(w) for w in start]))
    joint = gate.log_probabilities(logits, selected)
    value = -float(np.sum(rows.weights * np.where(r > 0, r * joint, 0.0).sum(axis=0)))
    slope = [-design.moment(rows.weights * part) for part in gate.score(r, logits, selected)]
    curvature, free = gate.curvature(r, logits, selected), range(len(W))
    blocks = [[design.gram(rows.weights * curvature[:, j, k]) for k in free] for j in free]
    return value, np.concatenate(slope), np.block(blocks)


def found_gates() -> Found:
    """Return the known gates: emmd's own and those of installed packages."""
    return discover("emmd.models.gates", Gate, "emmd.gates", classes=True)


def gate_object(gate: Any) -> Gate:
    """Return a gate for a name or an object, with a clear error for anything else.

    A gate whose name ends in ``-k`` takes a number in its place: ``top-1``.
    """
    if isinstance(gate, Gate):
        return gate
    instance("gate", gate, str, "a name or a Gate object")
    found = found_gates()
    stem, _, number = gate.rpartition("-")
    if number.isdecimal() and f"{stem}-k" in found.plugins:
        return found.named("gate", f"{stem}-k")(int(number))
    return found.named("gate", gate)()
