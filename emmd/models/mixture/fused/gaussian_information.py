"""The complete information of a Gaussian mixture, from the sums of one pass over the data."""

import numpy as np

from emmd.fits.multinomial import log_softmax
from emmd.kernels.em.gaussian_mixture import HEAD, SCALARS, sums_width
from emmd.kernels.em.mixture_image import DIGITS_KEPT
from emmd.rows.design import unpack_symmetric


def information_of_sums(sums, second_moment, parts, p):
    """Return I_com at the parameter whose sums these are, shape (p, p).

    Parameters
    ----------
    sums : ndarray
        See `emmd.kernels.em.gaussian_mixture.e_step_rows`; the gate's are those at the same parameter.
    second_moment : ndarray of shape (d, d)
    parts : tuple
        Coefficients, log variances, the gate's weights and offsets, see `FusedGaussian`.
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
    out, precision, grams = np.zeros((p, p)), np.exp(-log_variance), _grams(sums, second_moment, K, d)
    free = (K - 1) * max(W.shape[1], 1)
    spreads = p - free - K * d
    for k in range(K):
        own = slice(k * d, (k + 1) * d)
        out[own, own] = precision[k] * grams[k]
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
    free, d_gate = W.shape
    before, _ = sums_width(K, d, d_gate)
    blocks = sums[before + W.size :].reshape(free * K // 2, -1)
    out = np.empty((free, d_gate, free, d_gate))
    for packed, j, k in zip(blocks, *np.triu_indices(free)):
        out[j, :, k, :] = out[k, :, j, :] = unpack_symmetric(packed, d_gate)
    return out.reshape(W.size, W.size)


def _grams(sums, second_moment, K, d):
    """Return the experts' weighted Gram matrices; the last one is the total less the others."""
    packed = sums[HEAD + (SCALARS + d) * K :][: (K - 1) * (d * (d + 1) // 2)].reshape(K - 1, -1)
    known = [unpack_symmetric(row, d) for row in packed]
    return [*known, second_moment - sum(known)]
