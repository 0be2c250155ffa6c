"""The loss of multinomial logistic regression for a block of rows, the last class being the reference."""

from emmd.kernels.compile.jit import inlined, kernel
from emmd.kernels.maths.elementary import exp_nonpositive, log


@inlined
def _largest(u, m, largest, total):
    """Write the largest logit of each row, that of the reference included, and its share of the sum."""
    for i in range(m):
        largest[i] = 0.0
    for j in range(u.shape[0]):
        for i in range(m):
            largest[i] = u[j, i] if u[j, i] > largest[i] else largest[i]
    for i in range(m):
        total[i] = exp_nonpositive(-largest[i])


@inlined
def _add_exponentials(u, largest, m, total):
    for i in range(m):
        total[i] += exp_nonpositive(u[i] - largest[i])


@inlined
def _exponentiate(u, largest, m, total):
    for i in range(m):
        u[i] = exp_nonpositive(u[i] - largest[i])
        total[i] += u[i]


@inlined
def _take_logit(u, t, j, m, out):
    for i in range(m):
        out[i] -= u[i] if t[i] == j else 0.0


@inlined
def _slope(u, t, weight, share, j, m, out):
    for i in range(m):
        u[i] *= share[i]
        out[i] = weight[i] * (u[i] - (1.0 if t[i] == j else 0.0))


@kernel
def categorical_values(t, u, m, scratch, out):
    """Write the negative log probabilities of the classes t for logits u of shape (C - 1, BLOCK)."""
    largest, total = scratch[0], scratch[1]
    _largest(u, m, largest, total)
    for j in range(u.shape[0]):
        _add_exponentials(u[j], largest, m, total)
    for i in range(m):
        out[i] = largest[i] + log(total[i])
    for j in range(u.shape[0]):
        _take_logit(u[j], t, float(j), m, out)


@kernel
def categorical_slopes(t, u, weight, m, scratch, out):
    """Turn logits into probabilities in place; write their distances from the indicators of t, weighed."""
    largest, total = scratch[0], scratch[1]
    _largest(u, m, largest, total)
    for j in range(u.shape[0]):
        _exponentiate(u[j], largest, m, total)
    for i in range(m):
        total[i] = 1.0 / total[i]
    for j in range(u.shape[0]):
        _slope(u[j], t, weight, total, float(j), m, out[j])
    return 0.0


@kernel
def categorical_curvature(u, weight, j, k, m, out):
    """Write the weighed covariances of the indicators of two classes, from probabilities u."""
    same, total = 1.0 if j == k else 0.0, 0.0
    for i in range(m):
        out[i] = weight[i] * u[j, i] * (same - u[k, i])
        total += out[i]
    return total
