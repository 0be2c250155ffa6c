"""Which iterates of a path are looked at."""

import numpy as np


def spread_indices(length, most):
    """Return at most `most` indices of a path: all the first ones, then geometrically fewer, and the last."""
    if length <= most:
        return np.arange(length)
    return np.unique(np.round(np.geomspace(1, length, most)).astype(int) - 1)
