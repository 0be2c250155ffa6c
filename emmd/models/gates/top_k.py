"""Top-k gate: of each row's experts only the k with the largest logits take part (sparse gating)."""

from typing import Any

import numpy as np

from emmd.core.checks import positive_integer
from emmd.core.protocols.gate import NEVER, Gate
from emmd.fits.multinomial import with_reference
from emmd.fits.newton import NewtonResult


class TopK(Gate):
    """Softmax over the k largest of the K logits (w_K = 0 among them), probability 0 for the others.

    Where no row changes its selection this is a mixture of experts like any other, and EM is projected mirror
    descent; the loss jumps where one does. With k = 1 the loss does not depend on the gate within a region:
    EM leaves the gate where it started.

    Parameters
    ----------
    k : int
        Experts that take part, at least 1.

    References
    ----------
    Shazeer et al., "Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer", 2017.
    """

    name = "top-k"
    canonical = True
    sparse = True

    def __init__(self, k: int = 2) -> None:
        self.k = positive_integer("k", k)
        self.settled = self.k == 1

    def fit(self, rows: Any, start: np.ndarray, form: np.ndarray | None = None) -> NewtonResult:
        """Minimise the gate's part of the loss, see `Gate.fit`; one selected expert has probability 1."""
        if self.settled and form is None:
            # a constant: nothing to move, and nothing that runs to infinity
            return NewtonResult(start.ravel().copy(), 0.0, 1, np.inf)
        return super().fit(rows, start, form)

    def selection(self, logits: np.ndarray) -> np.ndarray | None:
        """Return the k experts with the largest logits of each row; of equal ones the first, (K, n)."""
        every = with_reference(logits).real
        order = np.argsort(-every, axis=0, kind="stable")
        selected = np.zeros(every.shape, dtype=bool)
        np.put_along_axis(selected, order[: self.k], True, axis=0)
        return selected

    def log_weights(self, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return the logits of the selected; the others lie so far below that no data speak for them."""
        selected = self.selection(logits) if selected is None else selected
        every = with_reference(logits)
        least = np.where(selected, every.real, np.inf).min(axis=0)
        return np.where(selected, every, least - NEVER)
