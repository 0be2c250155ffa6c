"""Features as the claims want them, standardised with an intercept, and coefficients after x -> Bx."""

import numpy as np

from emmd.core.checks import real_array, require_finite


def standardise(X, names=None):
    """Return features with mean 0 and standard deviation 1, and a column of ones at the end.

    Parameters
    ----------
    X : array_like of shape (n, d)
    names : sequence of str, optional
        Column names for error messages.

    Returns
    -------
    ndarray of shape (n, d + 1)

    Raises
    ------
    ValueError
        For a constant column: it would repeat the intercept.
    """
    X = real_array("X", X, 2)
    spread = X.std(axis=0)
    constant = np.flatnonzero(spread <= 1e-12 * np.abs(X).max(axis=0))
    if constant.size:
        label = names[constant[0]] if names is not None else int(constant[0])
        raise ValueError(f"X must have columns that vary, got a constant column {label!r}; leave it out")
    return np.column_stack([(X - X.mean(axis=0)) / spread, np.ones(len(X))])


def coefficients_after(B, *parts):
    """Return the coefficients that mean the same after x -> Bx: B^-T part for every part.

    Parameters
    ----------
    B : array_like of shape (d, d)
        Invertible.
    *parts : ndarray of shape (d,) or (d, m)

    Raises
    ------
    ValueError
        For a matrix of another shape or without an inverse, or coefficients that overflow.
    """
    d = len(parts[0])
    B = real_array("B", B, 2, (d, d))
    try:
        changed = [np.linalg.solve(B.T, part) for part in parts]
    except np.linalg.LinAlgError:
        raise ValueError("B must be invertible, got a singular matrix") from None
    require_finite("theta and B", "coefficients", *changed)
    return changed
