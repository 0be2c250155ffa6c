"""Constant gate: mixing weights that do not depend on the features."""

from typing import Any

import numpy as np

from emmd.core.protocols.gate import Gate
from emmd.fits.multinomial import with_reference
from emmd.fits.newton import NewtonResult


def _masses(rows):
    return rows.statistics @ rows.weights


class Constant(Gate):
    """log P(z = k) = w_k, w_K = 0, up to normalisation."""

    name = "constant"
    sees_features = False
    canonical = True

    def log_weights(self, logits: np.ndarray, selected: Any = None) -> np.ndarray:
        """Return the logits, and 0 for the last expert."""
        return with_reference(logits)

    def fit(self, rows: Any, start: np.ndarray, form: np.ndarray | None = None) -> NewtonResult:
        """Return the logs of the responsibilities' means, relative to the last."""
        masses = rows.add_up(_masses)
        return NewtonResult(np.log(masses[:-1] / masses[-1]), 0.0, 1, np.inf)
