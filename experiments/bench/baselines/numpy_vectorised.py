"""EM as most NumPy programs write it: vectorised, features in rows."""

from emmd.experiments.bench.numpy_em import NumPyBaseline, Rows


class NumPy(NumPyBaseline):
    """Vectorised NumPy and SciPy on features of shape (n, d), with the same exact M-step, loss included."""

    name = "numpy"
    title = "vectorised NumPy"
    layout = Rows


BASELINE = NumPy()
