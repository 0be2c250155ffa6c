"""A gate of one's own: a softmax that leaves every expert a part of its share, ``gate=Floor(0.1)``."""

import numpy as np

from emmd import Gate


class Floor(Gate):
    """P(z = k | x) = (1 - floor) softmax_k + floor / K: no row is ever certain of its expert beforehand."""

    name = "floor"

    def __init__(self, floor=0.1):
        if not 0.0 <= floor < 1.0:
            raise ValueError(f"floor must lie in [0, 1), got {floor}")
        self.floor = floor

    def log_weights(self, logits, selected=None):
        """Return log weights, shape (K, n), for real or complex logits of K - 1 experts; the last has 0."""
        full = np.concatenate([logits, np.zeros_like(logits[:1])])
        weights = np.exp(full - full.real.max(axis=0))
        return np.log((1.0 - self.floor) * weights / weights.sum(axis=0) + self.floor / len(full))
