"""What a step of Newton's method leaves of a regression's gradient, as a sample of the rows tells.

The gradient at the end of a step is that at its beginning, plus the Hessian times the step, plus a remainder
in which no label occurs: see `emmd.kernels.newton.look`. A sample is some of the blocks of rows.
"""

import math

import numpy as np

from emmd.kernels.compile.jit import allocating, named_after, scalar
from emmd.kernels.rows.reduce import BLOCK, SAMPLED_ROWS
from emmd.kernels.solvers import newton

# the least sample is of 24 blocks: fewer tell too little of their spread
_ONE_IN = 16
# with more of them the sample's error shrinks by less than they take
_MOST = 256


@scalar
def sampled_blocks(n):
    """Return how many blocks of n rows are a sample of them; 0 where a sample would not pay."""
    return min(n // BLOCK // _ONE_IN, _MOST) if n >= SAMPLED_ROWS else 0


@scalar
def sampled_block(k, count, n):
    """Return the k-th of the sampled blocks, which lie evenly among all whole ones."""
    return (2 * k + 1) * (n // BLOCK) // (2 * count)


@allocating
def estimate(partials, n, out):
    """Write what `newton.look` takes: the remainder of n rows, its standard errors, the curvature."""
    count, d = partials.shape[0], partials.shape[1] - 1
    whole = n / (count * BLOCK)
    for j in range(d + 1):
        total = 0.0
        for k in range(count):
            total += partials[k, j]
        mean, squares = total / count, 0.0
        for k in range(count):
            squares += (partials[k, j] - mean) ** 2
        if j < d:
            out[j] = whole * total
            out[d + j] = whole * math.sqrt(squares * count / (count - 1))
        else:
            out[2 * d] = whole * total


@allocating
def no_remainders(threads, XB, c, n, vectors, wanted):
    """Stand for the kernel of `remainders_of` where no sample is taken."""
    return np.zeros((0, 0))


def remainders_of(rows):
    """Return the kernel that gives every regression the remainder it wants.

    Parameters
    ----------
    rows : kernel
        ``(edges, partials, XB, c, n, point, end)``, in turn or in shares: writes to each row of the partials
        what a sampled block adds to the remainder, shape (p,), and to the curvature of the step.

    Returns
    -------
    kernel
        ``(threads, XB, c, n, vectors, wanted) -> sums (r, 2 p + 1)``: see `emmd.kernels.newton.workspace`.
    """

    @allocating
    @named_after(rows)
    def remainders(threads, XB, c, n, vectors, wanted):
        r, p, count = wanted.shape[0], vectors.shape[2], sampled_blocks(n)
        sums = np.zeros((r, 2 * p + 1))
        edges = np.arange(threads + 1) * count // threads
        for k in range(r):
            if wanted[k] == newton.REMAINDER:
                partials = np.zeros((count, p + 1))
                rows(edges, partials, XB, c, n, vectors[k, newton.POINT], vectors[k, newton.TRIAL])
                estimate(partials, n, sums[k])
        return sums

    return remainders
