"""Kernels of two symmetric linear experts: y | x, z ~ N(z x'beta, sigma^2), P(z=1|x) = sigmoid(x'w).

In units of sigma: a = x'beta, b = x'w; the log joint of (y, z) is
``log sigmoid(z b) - (y - z a)^2 / 2 - log(2 pi) / 2``.
The E-step and the marginal likelihood are written from different formulas on
purpose: the claims compare them.
"""

import numpy as np

from emmd.kernels._jit import kernel, scalar
from emmd.kernels.elementary import exp, log1p, sigmoid, softplus
from emmd.kernels.linear import block_predict
from emmd.kernels.reduce import BLOCK, CHUNK

HALF_LOG_2PI = 0.9189385332046727


@scalar
def _e_step_loss(a, b, y):
    # y^2/2 + a^2/2 - log cosh(b/2 + ay) + log cosh(b/2), with the large parts combined by sign:
    # nothing cancels at |b| = 1e4
    logit = b + 2.0 * a * y
    agree = (logit >= 0.0) == (b >= 0.0)
    toward = 1.0 if b >= 0.0 else -1.0
    side = toward if agree else -toward
    switch = 0.0 if agree else abs(b)
    rest = y - side * a
    return 0.5 * rest * rest + switch + log1p(exp(-abs(b))) - log1p(exp(-abs(logit)))


@kernel
def _e_step_block(a, b, y, c, p):
    loss = 0.0
    for i in range(a.shape[0]):
        p[i] = sigmoid(b[i] + 2.0 * a[i] * y[i])
        loss += c[i] * (HALF_LOG_2PI + _e_step_loss(a[i], b[i], y[i]))
    return loss


@kernel
def e_step_rows(first, last, partials, XT, y, c, beta, w, p):
    """Chunk kernel: write the responsibilities ``p = sigmoid(b + 2 a y)``; sum the marginal loss."""
    n = XT.shape[1]
    a = np.empty(BLOCK)
    b = np.empty(BLOCK)
    for chunk in range(first, last):
        end = min((chunk + 1) * CHUNK, n)
        for lo in range(chunk * CHUNK, end, BLOCK):
            hi = min(lo + BLOCK, end)
            block_predict(XT, beta, lo, hi, a)
            block_predict(XT, w, lo, hi, b)
            partials[chunk, 0] += _e_step_block(a[: hi - lo], b[: hi - lo], y[lo:hi], c[lo:hi], p[lo:hi])


@scalar
def _log_joint(a, b, y, z):
    rest = y - z * a
    return -softplus(-z * b) - 0.5 * rest * rest - HALF_LOG_2PI


@kernel
def marginal_rows(first, last, partials, a, b, y, c, loss, slope_a, slope_b):
    """Chunk kernel: write the weighted marginal loss of each row and its derivatives in (a, b).

    From the log joint alone: loss = -logsumexp_z l(z); its derivative is the
    mean of -dl/d(a, b) under softmax(l), spelled out branch by branch.
    """
    for i in range(first * CHUNK, min(last * CHUNK, a.shape[0])):
        plus = _log_joint(a[i], b[i], y[i], 1.0)
        minus = _log_joint(a[i], b[i], y[i], -1.0)
        loss[i] = -c[i] * (max(plus, minus) + log1p(exp(-abs(plus - minus))))
        share = sigmoid(plus - minus)
        other = sigmoid(minus - plus)
        slope_a[i] = c[i] * (other * (y[i] + a[i]) - share * (y[i] - a[i]))
        slope_b[i] = c[i] * (other * sigmoid(b[i]) - share * sigmoid(-b[i]))


@kernel
def information_rows(first, last, partials, a, b, y, c, complete, missing):
    """Chunk kernel: write the weighted information of each row as ``[aa, ab, bb]``.

    complete = diag(1, sigmoid'(b)); missing = 4 p (1 - p) [y^2, y/2; y/2, 1/4].
    """
    for i in range(first * CHUNK, min(last * CHUNK, a.shape[0])):
        logit = b[i] + 2.0 * a[i] * y[i]
        spread = 4.0 * c[i] * sigmoid(logit) * sigmoid(-logit)
        complete[0, i] = c[i]
        complete[1, i] = 0.0
        complete[2, i] = c[i] * sigmoid(b[i]) * sigmoid(-b[i])
        missing[0, i] = spread * y[i] * y[i]
        missing[1, i] = spread * 0.5 * y[i]
        missing[2, i] = spread * 0.25
