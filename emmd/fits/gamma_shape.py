"""The shape of a Gamma variable, from the means of the variable and of its logarithm."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma


def log_shape(excess: float) -> float:
    """Solve ``log alpha - digamma(alpha) = excess`` for log alpha; infinite when nothing varies.

    Parameters
    ----------
    excess : float
        The logarithm of the mean less the mean of the logarithm, not negative but for rounding.
    """
    if not excess > 1e-14:
        return np.inf

    def miss(rho):
        return rho - float(digamma(np.exp(rho))) - excess

    return float(brentq(miss, -np.log(excess) - 2.0, -np.log(excess) + 1.0, xtol=1e-15, rtol=1e-15))
