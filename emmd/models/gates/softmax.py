"""Softmax gate: probabilities proportional to e^(x'w_k), w_K = 0."""

from typing import Any

import numpy as np

from emmd.core.protocols.gate import Gate
from emmd.fits.multinomial import fit_multinomial, log_softmax, with_reference
from emmd.fits.newton import NewtonResult


class Softmax(Gate):
    """P(z = k | x) = softmax_k(x'w_k): multinomial logistic regression, the last expert as reference."""

    name = "softmax"
    canonical = True

    def log_weights(self, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return the logits, and 0 for the last expert."""
        return with_reference(logits)

    def log_probabilities(self, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return the log of the softmax, shape (K, n)."""
        return log_softmax(logits)

    def fit(self, rows: Any, start: np.ndarray, form: np.ndarray | None = None) -> NewtonResult:
        """Fit the multinomial logistic regression by its kernels."""
        return fit_multinomial(rows, start, form)
