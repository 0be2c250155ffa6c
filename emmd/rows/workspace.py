"""Large arrays that steps on the same data leave to later ones."""

import numpy as np


class SpareArrays:
    """Arrays that no step is using: the pages of a new one take a twentieth of a step on many rows.

    A copy, or what is pickled, begins without any.
    """

    def __init__(self):
        self._arrays = []

    def __len__(self):
        return len(self._arrays)

    def __reduce__(self):
        return SpareArrays, ()

    def take(self, shape):
        """Return an array, not initialised; all that are left here must have this shape."""
        try:
            # popped, for another thread may be at the same data
            return self._arrays.pop()
        except IndexError:
            return np.empty(shape)

    def leave(self, array):
        """Leave an array that `take` has given to later steps."""
        self._arrays.append(array)
