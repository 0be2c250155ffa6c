"""EM as an expert tunes NumPy: features in columns, a symmetric BLAS call per Gram matrix."""

from experiments.bench.baseline import Baseline, Runner
from experiments.bench.numpy_em import Columns, em_map


class NumPyColumns(Baseline):
    """Vectorised NumPy and SciPy on features of shape (d, n): up to twice as fast as on rows."""

    name = "numpy-columns"
    title = "NumPy, feature-major"

    def prepare(self, timed):
        """Return the loop over EM maps for this kind of problem."""
        return Runner.of_map(em_map(Columns, timed))


BASELINE = NumPyColumns()
