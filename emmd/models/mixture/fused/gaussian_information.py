"""The complete information of a Gaussian mixture, from the sums of one pass over the data."""

import numpy as np

from emmd.kernels.em.gaussian_mixture import HEAD, SCALARS, expert_gram, sums_width
from emmd.kernels.em.mixture_image import DIGITS_KEPT
from emmd.kernels.solvers.multinomial import assemble_hessian
from emmd.models.gates.softmax import log_softmax
from emmd.rows.design import unpack_symmetric


def information_of_sums(sums, second_moment, parts, p):
    """Return I_com at the parameter whose sums these are, shape (p, p).

    Parameters
    ----------
    sums : ndarray
        See `emmd.kernels.em.gaussian_mixture.e_step_rows`; the gate's are those at the same parameter.
    second_moment : ndarray of shape (d, d)
    parts : tuple
        Coefficients, log variances, the gate's weights and offsets, see `parts_of`.
    p : int

    Returns
    -------
    ndarray of shape (p, p) or None
        None where the last expert, whose Gram matrix is what the others leave, has too little mass for that,
        and where sums overflow.
    """
    coef, log_variance, W, offset = parts
    K, d = coef.shape
    scalars = sums[HEAD : HEAD + SCALARS * K].reshape(K, SCALARS)
    if not (scalars[-1, 0] > DIGITS_KEPT and np.isfinite(sums).all()):
        return None
    moments = sums[HEAD + SCALARS * K :][: K * d].reshape(K, d)
    out, gram, precision = np.zeros((p, p)), np.empty((d, d)), np.exp(-log_variance)
    free = (K - 1) * max(W.shape[1], 1)
    spreads = p - free - K * d
    for k in range(K):
        expert_gram(sums[HEAD:], second_moment, k, K, d, gram)
        own = slice(k * d, (k + 1) * d)
        out[own, own] = precision[k] * gram
        if spreads > 0:
            spread = K * d + k % spreads
            out[own, spread] = out[spread, own] = precision[k] * moments[k]
            out[spread, spread] += 0.5 * precision[k] * scalars[k, 1]
    out[p - free :, p - free :] = _of_gate(sums, W, offset, d, K)
    return out


def _of_gate(sums, W, offset, d, K):
    if W.shape[1] == 0:
        p = np.exp(log_softmax(offset[:, None]))[:-1, 0]
        return np.diag(p) - np.outer(p, p)
    before, _ = sums_width(K, d, W.shape[1])
    return unpack_symmetric(assemble_hessian(sums[before:], *W.shape)[W.size :], W.size)
