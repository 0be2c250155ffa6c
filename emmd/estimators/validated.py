"""scikit-learn's validation of features and target, which reads what lies under a mask."""

import numpy as np
from sklearn.utils.validation import validate_data

from emmd.core.checks import require_unmasked


def validated(estimator, *data, **options):
    """Return features, or features and target, as ``validate_data`` does, in float64; refuse masked entries.

    Parameters
    ----------
    estimator : BaseEstimator
    *data : array_like
        X, or X and y.
    **options
        Passed on.
    """
    for name, value in zip(("X", "y"), data):
        require_unmasked(name, value)
    return validate_data(estimator, *data, dtype=np.float64, **options)
