"""The local constant of relative strong convexity."""

import numpy as np

from emmd.theory.numeric.rates.information import missing_information


def local_constant(problem, theta):
    """Return 1 - lambda_max(M(theta)); minus infinity where the complete information is singular."""
    try:
        return 1.0 - missing_information(problem, theta).rate
    except np.linalg.LinAlgError:
        return -np.inf
