"""Large arrays that steps on the same data leave to later ones."""

import numpy as np


class Workspace:
    """Arrays that no step is using: the pages of a new one take a fifth of a step on many rows.

    A copy, or what is pickled, begins without any.
    """

    def __init__(self):
        self._arrays = {}

    def __len__(self):
        return sum(len(arrays) for arrays in self._arrays.values())

    def __reduce__(self):
        return Workspace, ()

    def take(self, shape):
        """Return an array, not initialised, that is nobody else's until it is left here."""
        try:
            # popped, for another thread may be at the same data
            return self._arrays[shape].pop()
        except LookupError:
            return np.empty(shape)

    def leave(self, array):
        """Leave an array that `take` has given to later steps."""
        self._arrays.setdefault(array.shape, []).append(array)
