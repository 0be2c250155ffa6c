"""The remainders that compiled code takes from a sample of the rows, for Newton's method in Python."""

from emmd.kernels.solvers.remainder import sampled_blocks


def sampled_remainders(remainders, design):
    """Return what `emmd.core.newton.newton_together` asks; None where there are too few rows for a sample.

    Parameters
    ----------
    remainders : kernel
        See `emmd.kernels.remainder.remainders_of`.
    design : Design
    """

    def sampled(vectors, wanted):
        return remainders(1, design.XB, design.kernel_weights, design.n_rows, vectors, wanted)

    return sampled if sampled_blocks(design.n_rows) else None
