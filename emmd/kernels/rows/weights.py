"""Weights of the rows, which where all are the same are those of one block."""

from emmd.kernels.compile.jit import scalar
from emmd.kernels.rows.reduce import BLOCK


def for_kernels(weights):
    """Return what kernels take for weights: all of them, or one block of them where all are the same.

    A tenth of what a pass over ten features reads from memory are weights.

    Parameters
    ----------
    weights : ndarray of shape (n,)
    """
    return weights[:BLOCK] if (weights == weights[0]).all() else weights


@scalar
def place_of(n_weights, lo):
    """Return where in the weights those of the block from row `lo` on begin."""
    return lo if n_weights > BLOCK else 0
