"""Soft-label logistic regression: the M-step of a gate or of a logistic expert.

The loss is ``sum_i c_i ( log(1 + e^{b_i}) - q_i b_i )`` with ``b_i = x_i' w``, weights ``c_i`` and soft
labels ``q_i``.
"""

import math

import numpy as np

from emmd.kernels import newton
from emmd.kernels._jit import kernel
from emmd.kernels.elementary import exp, log1p_unit
from emmd.kernels.gram import block_gram
from emmd.kernels.linear import block_moment, block_predict
from emmd.kernels.reduce import BLOCK, CHUNK, total

_PER_CHUNK = CHUNK // BLOCK
LOG_2 = math.log(2.0)
"""The loss at w = 0, whatever the labels."""


@kernel
def _derivatives_block(b, q, c, residual):
    for i in range(residual.shape[0]):
        t = exp(-abs(b[i]))
        residual[i] = c[i] * ((1.0 if b[i] >= 0.0 else t) / (1.0 + t) - q[i])


@kernel
def _second_derivatives_block(b, q, c, residual, curvature):
    loss = 0.0
    for i in range(residual.shape[0]):
        t = exp(-abs(b[i]))
        inverse = 1.0 / (1.0 + t)
        residual[i] = c[i] * ((1.0 if b[i] >= 0.0 else t) * inverse - q[i])
        curvature[i] = c[i] * t * inverse * inverse
        loss += c[i] * ((b[i] if b[i] >= 0.0 else 0.0) + log1p_unit(t) - q[i] * b[i])
    return loss


@kernel
def logistic_rows(first, last, partials, XB, w, q, c):
    """Chunk kernel: ``[loss, gradient (d), packed Hessian (d (d + 1) / 2)]``."""
    d, n = XB.shape[1], c.shape[0]
    b, residual, curvature = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        sums = partials[block // _PER_CHUNK]
        lo = block * BLOCK
        m = min(BLOCK, n - lo)
        block_predict(XB[block], w, m, b)
        sums[0] += _second_derivatives_block(b, q[lo:], c[lo:], residual[:m], curvature)
        block_moment(XB[block], residual, m, sums[1 : 1 + d])
        block_gram(XB[block], curvature, m, sums[1 + d :])


@kernel
def logistic_gradient_rows(first, last, partials, XB, w, q, c):
    """Chunk kernel: the gradient alone, shape (d,)."""
    n = c.shape[0]
    b, residual = np.empty(BLOCK), np.empty(BLOCK)
    for block in range(first * _PER_CHUNK, min(last * _PER_CHUNK, XB.shape[0])):
        lo = block * BLOCK
        m = min(BLOCK, n - lo)
        block_predict(XB[block], w, m, b)
        _derivatives_block(b, q[lo:], c[lo:], residual[:m])
        block_moment(XB[block], residual, m, partials[block // _PER_CHUNK])


@kernel
def hessian_cost(d):
    """Return multiplications per row of a Gram matrix over those of a gradient."""
    return 0.5 * d * (d + 1) / (2.0 * d + 30.0)


@kernel
def solve_logistic(XB, q, c, scale, start, value, sums):
    """Minimise the loss from a start where value, gradient and Hessian are known; one thread.

    Parameters
    ----------
    XB, q, c
        Features in blocks, soft labels and weights.
    scale, start : ndarray of shape (d,)
    value : float
    sums : ndarray of shape (d + d (d + 1) / 2,)
        Gradient and packed Hessian at the start.

    Returns
    -------
    state, vectors
        See `newton.workspace`; the minimiser is ``vectors[newton.POINT]``.
    """
    d, n = XB.shape[1], c.shape[0]
    chunks = -(-n // CHUNK)
    state, vectors, factor = newton.workspace(start, hessian_cost(d))
    wanted = newton.begin(state, vectors, factor, value, LOG_2, sums, scale)
    while wanted != newton.DONE:
        if wanted == newton.HESSIAN:
            partials = np.zeros((chunks, 1 + d + d * (d + 1) // 2))
            logistic_rows(0, chunks, partials, XB, vectors[newton.TRIAL], q, c)
            found = total(partials)[1:]
        else:
            partials = np.zeros((chunks, d))
            logistic_gradient_rows(0, chunks, partials, XB, vectors[newton.TRIAL], q, c)
            found = total(partials)
        wanted = newton.advance(state, vectors, factor, found, scale, wanted == newton.HESSIAN)
    return state, vectors
