"""scikit-learn's validation of features and target, made to refuse masks and to give one memory layout."""

import numpy as np
from sklearn.utils.validation import validate_data

from emmd.core.checks import require_unmasked


def validated(estimator, *data, **options):
    """Return features, or features and target, as ``validate_data`` does; refuse masked entries.

    Features are float64 and lie row by row, a target is contiguous and native: sums over the same numbers
    are then added in the same order, whatever held them (a DataFrame lies column by column).

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
    checked = validate_data(estimator, *data, dtype=np.float64, order="C", **options)
    if len(data) == 1:
        return checked
    X, y = checked
    return X, np.ascontiguousarray(y, dtype=y.dtype.newbyteorder("="))
