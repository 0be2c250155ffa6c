"""Kernels of two symmetric logistic experts: P(y|x,z) = sigmoid(y z x'beta), P(z=1|x) = sigmoid(x'w).

a = x'beta, b = x'w, y in {-1, +1}; the log joint of (y, z) is
``log sigmoid(z b) + log sigmoid(y z a)``.
The E-step and the marginal likelihood are written from different formulas on
purpose: the claims compare them.
"""

import numpy as np

from emmd.kernels._jit import kernel, scalar
from emmd.kernels.elementary import exp, log1p, sigmoid, softplus
from emmd.kernels.linear import block_predict
from emmd.kernels.reduce import BLOCK, CHUNK


@scalar
def _e_step_loss(t, b):
    # softplus(b) + softplus(t) - softplus(b + t): the linear parts leave min(|b|, |t|) when the signs differ
    linear = min(abs(b), abs(t)) if (b >= 0.0) != (t >= 0.0) else 0.0
    return linear + log1p(exp(-abs(b))) + log1p(exp(-abs(t))) - log1p(exp(-abs(b + t)))


@kernel
def _e_step_block(a, b, y, c, p):
    loss = 0.0
    for i in range(a.shape[0]):
        t = y[i] * a[i]
        p[i] = sigmoid(b[i] + t)
        loss += c[i] * _e_step_loss(t, b[i])
    return loss


@kernel
def e_step_rows(first, last, partials, XT, y, c, beta, w, p):
    """Chunk kernel: write the responsibilities ``p = sigmoid(b + a y)``; sum the marginal loss."""
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
    return -softplus(-z * b) - softplus(-y * z * a)


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
        slope_a[i] = c[i] * y[i] * (other * sigmoid(y[i] * a[i]) - share * sigmoid(-y[i] * a[i]))
        slope_b[i] = c[i] * (other * sigmoid(b[i]) - share * sigmoid(-b[i]))


@kernel
def information_rows(first, last, partials, a, b, y, c, complete, missing):
    """Chunk kernel: write the weighted information of each row as ``[aa, ab, bb]``.

    complete = diag(sigmoid'(a), sigmoid'(b)); missing = p (1 - p) [1, y; y, 1].
    """
    for i in range(first * CHUNK, min(last * CHUNK, a.shape[0])):
        logit = b[i] + y[i] * a[i]
        spread = c[i] * sigmoid(logit) * sigmoid(-logit)
        complete[0, i] = c[i] * sigmoid(a[i]) * sigmoid(-a[i])
        complete[1, i] = 0.0
        complete[2, i] = c[i] * sigmoid(b[i]) * sigmoid(-b[i])
        missing[0, i] = spread
        missing[1, i] = spread * y[i]
        missing[2, i] = spread
