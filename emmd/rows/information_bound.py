"""An upper bound of the complete information that does not depend on theta: one small matrix per block."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

_GATE = 0.5
"""diag(p) - pp' <= I / 2 (Boehning 1992)."""


def bounds(model, data):
    """Return the matrix of each kind of block; their direct sum is at least I_com at every theta.

    Parameters
    ----------
    model : MixtureOfExperts
        Of a family with a `variance_bound`.
    data : MixtureData

    Returns
    -------
    dict of str to ndarray of shape (d, d)
        By the blocks' features: ``c E[xx']`` plus the ridge, c the largest possible variance:
        responsibilities are at most 1.
    """
    kinds = {block.features for block in model.blocks if block.fixed is None}
    return {kind: _bound(model, data, kind) for kind in kinds}


def _bound(model, data, kind):
    design = data.designs[kind]
    moment = np.ones((1, 1)) if design is None else design.second_moment
    ridge = None if model.ridge is None or kind == "constant" else getattr(model.ridge, kind)
    largest = model.family.variance_bound if kind == "expert" else _GATE
    return largest * moment + np.diag(np.zeros(len(moment)) if ridge is None else ridge)


def bounded_solve(model, data, gradient):
    """Return ``H^{-1} gradient`` for the bound H, shape (p,)."""
    matrices = bounds(model, data)
    scales = {kind: np.sqrt(np.diag(matrix)) for kind, matrix in matrices.items()}
    factors = {
        kind: cho_factor(matrix / np.outer(scales[kind], scales[kind]), lower=True, check_finite=False)
        for kind, matrix in matrices.items()
    }
    result = np.zeros_like(gradient)
    for block in model.blocks:
        if block.fixed is None:
            kind, entries = block.features, block.entries
            rhs = gradient[entries] / scales[kind]
            result[entries] = cho_solve(factors[kind], rhs, check_finite=False) / scales[kind]
    return result


def safe_step(model, data):
    """Return a constant step with which gradient steps on Q, or on the loss, never go uphill.

    Returns
    -------
    float
        1 / lambda_max of the bound of I_com, which is also one of the loss's Hessian.
    """
    return 1.0 / max(float(np.linalg.eigvalsh(matrix)[-1]) for matrix in bounds(model, data).values())
