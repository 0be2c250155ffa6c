"""Inner products of vectors of parameters."""

from emmd.kernels.compile.jit import deciding


@deciding
def dot(x, y):
    """Return ``sum_j x_j y_j``."""
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j] * y[j]
    return total
