"""EM as most NumPy programs write it: vectorised, features in rows."""

from experiments.bench.baseline import Baseline, Runner
from experiments.bench.numpy_em import Rows, em_map


class NumPy(Baseline):
    """Vectorised NumPy and SciPy on features of shape (n, d), with the same exact M-step, loss included."""

    name = "numpy"
    title = "vectorised NumPy"

    def prepare(self, timed):
        """Return the loop over EM maps for this kind of problem."""
        return Runner.of_map(em_map(Rows, timed))


BASELINE = NumPy()
