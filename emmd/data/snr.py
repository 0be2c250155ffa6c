"""Parameters at given signal-to-noise ratios."""

import numpy as np

from emmd.core.checks import MANY, not_negative, number_between, positive_integer, positive_number


def snr_parameters(n_features, snr_expert, snr_gate, cosine, sigma=1.0):
    """Return theta = (beta, w) with given SNRs and angle, for x ~ N(0, I).

    Parameters
    ----------
    n_features : int
    snr_expert : float
        ||beta|| / sigma, at least 0.
    snr_gate : float
        ||w||, at least 0.
    cosine : float
        Cosine of the angle between beta and w, in [-1, 1]; one feature allows only -1 and 1.
    sigma : float

    Returns
    -------
    ndarray of shape (2 n_features,)
        beta along the first axis, w in the plane of the first two.

    Raises
    ------
    ValueError
        For a negative SNR or an impossible angle.
    """
    d = positive_integer("n_features", n_features, maximum=MANY)
    snr_expert, snr_gate = not_negative("snr_expert", snr_expert), not_negative("snr_gate", snr_gate)
    cosine, sigma = number_between("cosine", cosine, -1.0, 1.0), positive_number("sigma", sigma)
    if d == 1 and abs(cosine) != 1 and snr_expert > 0 and snr_gate > 0:
        raise ValueError(f"cosine must be -1 or 1 when there is one feature, got {cosine!r}")
    theta = np.zeros(2 * d)
    theta[0] = snr_expert * sigma
    theta[d] = snr_gate * cosine
    if d > 1:
        theta[d + 1] = snr_gate * np.sqrt(1.0 - cosine**2)
    elif snr_gate > 0 and abs(cosine) != 1:
        theta[d] = snr_gate
    return theta
