"""Maxima that NaN does not slip through."""

from emmd.kernels.compile.jit import kernel, scalar


@scalar
def larger(x, y):
    """Return the larger of two numbers, NaN where either is."""
    return y if y > x or y != y else x


@kernel
def largest_modulus(x):
    """Return ``max |x_j|``, NaN where any is."""
    largest = 0.0
    for j in range(x.shape[0]):
        largest = larger(largest, abs(x[j]))
    return largest
