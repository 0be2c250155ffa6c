"""Softmax of a block of rows: log probabilities and probabilities, the last class being the reference."""

from emmd.kernels.compile.jit import inlined, kernel
from emmd.kernels.linear.predictors import block_predict_all
from emmd.kernels.maths.elementary import at_most_one, exp_nonpositive, log, log1p_of_third
from emmd.kernels.rows.prefetch import ROWS, STRIPS, fetch_with_strip

WORK_ROWS = 3
"""Rows of BLOCK numbers that `block_log_softmax` works with."""


@inlined
def _raise_maximum(values, m, largest):
    for i in range(m):
        largest[i] = values[i] if values[i] > largest[i] else largest[i]


@inlined
def _exponentiate(values, largest, out, total, upcoming):
    for strip in range(STRIPS):
        fetch_with_strip(upcoming, strip)
        for k in range(ROWS):
            i = strip * ROWS + k
            values[i] -= largest[i]
            out[i] = exp_nonpositive(values[i])
            total[i] += out[i]


@inlined
def _normalise(log_total, share, m, values, out):
    for i in range(m):
        values[i] -= log_total[i]
        out[i] *= share[i]


@inlined
def _log_softmax_two(first, second, p, q, normaliser, upcoming):
    """Do what `block_log_softmax` does for two classes, with one exponential and one logarithm a row."""
    for strip in range(STRIPS):
        fetch_with_strip(upcoming, strip)
        for k in range(ROWS):
            i = strip * ROWS + k
            u, v = first[i], second[i]
            lead = u - v
            t = exp_nonpositive(-abs(lead))
            shared = 1.0 / ((1.0 + t) * (2.0 + t))
            log_total, inverse = log1p_of_third(t, t * (1.0 + t) * shared), at_most_one((2.0 + t) * shared)
            leads = lead >= 0.0
            normaliser[i] = (u if leads else v) + log_total
            first[i] = (0.0 if leads else lead) - log_total
            second[i] = (-lead if leads else 0.0) - log_total
            p[i] = (1.0 if leads else t) * inverse
            q[i] = (t if leads else 1.0) * inverse


@kernel
def block_log_softmax(values, p, m, scratch, upcoming):
    """Turn log weights into log probabilities in place; write probabilities, and logs of the weights' sums.

    Parameters
    ----------
    values, p : ndarray of shape (K, BLOCK)
    m : int
    scratch : ndarray of shape (WORK_ROWS, BLOCK)
        The logs of the sums are written to its first row, the others hold anything.
    """
    normaliser, largest, total = scratch[0], scratch[1], scratch[2]
    K, d = values.shape[0], upcoming.shape[0]
    if values.shape[0] == 2:
        _log_softmax_two(values[0], values[1], p[0], p[1], normaliser, upcoming)
        return
    for i in range(m):
        largest[i] = values[0, i]
        total[i] = 0.0
    for k in range(1, values.shape[0]):
        _raise_maximum(values[k], m, largest)
    for k in range(values.shape[0]):
        part = upcoming[k * d // K : (k + 1) * d // K]
        _exponentiate(values[k], largest, p[k], total, part)
    for i in range(m):
        log_total = log(total[i])
        normaliser[i] = largest[i] + log_total
        largest[i] = log_total
        total[i] = 1.0 / total[i]
    for k in range(values.shape[0]):
        _normalise(largest, total, m, values[k], p[k])


@kernel
def block_logits(X, W, offset, m, logits):
    """Write ``W x + offset``, and 0 for the last class, to `logits`, shape (K, BLOCK)."""
    free = W.shape[0]
    block_predict_all(X, W, m, logits)
    for k in range(free):
        for i in range(m):
            logits[k, i] += offset[k]
    for i in range(m):
        logits[free, i] = 0.0
