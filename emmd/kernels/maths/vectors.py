"""Vectors of parameters: inner products, equality, and maxima that NaN does not slip through."""

from emmd.kernels.compile.jit import deciding, scalar


@deciding
def dot(x, y):
    """Return ``sum_j x_j y_j``."""
    total = 0.0
    for j in range(x.shape[0]):
        total += x[j] * y[j]
    return total


@deciding
def differ(x, y):
    """Return whether any entries of two vectors differ."""
    apart = False
    for j in range(x.shape[0]):
        apart = apart or x[j] != y[j]
    return apart


@scalar
def larger(x, y):
    """Return the larger of two numbers, NaN where either is."""
    return y if y > x or y != y else x


@scalar
def smaller(x, y):
    """Return the smaller of two numbers, the second where they are not comparable."""
    return x if x < y else y


@deciding
def largest_modulus(x):
    """Return ``max |x_j|``, NaN where any is."""
    largest = 0.0
    for j in range(x.shape[0]):
        largest = larger(largest, abs(x[j]))
    return largest
