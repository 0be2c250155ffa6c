"""Checks of what users pass in: one clear error that names the argument, what was expected and what came."""

import difflib
import numbers

import numpy as np

from emmd.core.slabs import slabs

_SMALL = 1000
"""Entries of an array that is looked at whole."""


def describe(value):
    """Return a short description of a value for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


def real_array(name, value, ndim, shape=None):
    """Return `value` as a contiguous float64 array of `ndim` dimensions, all finite.

    Parameters
    ----------
    name : str
        The argument's name, for the error message.
    value : array_like
    ndim : int
    shape : tuple of (int or None), optional
        Required lengths; None leaves a length free.

    Raises
    ------
    TypeError
        For text, complex or object data.
    ValueError
        For a wrong number of dimensions, a wrong length, no data, NaN, infinity or masked entries.
    """
    array = _numeric(name, value)
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if shape is not None and any(want is not None and want != got for want, got in zip(shape, array.shape)):
        wanted = tuple("any" if want is None else want for want in shape)
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    _finite(name, array)
    return np.ascontiguousarray(array, dtype=np.float64)


def require_unmasked(name, value):
    """Raise a ValueError for masked entries: NumPy and scikit-learn would read what lies under the mask."""
    # other types may have a mask too, and a table a column of that name
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        count = int(np.ma.count_masked(value))
        raise ValueError(f"{name} must have no masked entries, got {count} of {value.size}")


def _numeric(name, value):
    require_unmasked(name, value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name} must be a rectangular array of real numbers, got {describe(value)}"
        ) from error
    if array.dtype.kind == "O" and array.ndim == 0:
        # a sparse matrix, say: its dtype would tell nothing
        raise TypeError(f"{name} must hold real numbers in an array, got {describe(array.item())}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array


def _finite(name, array):
    # slab by slab: a mask of all entries would be an eighth of the data, and a file need not fit the memory
    parts = (array,) if array.size <= _SMALL else (slab for _, slab in slabs(array))
    if not all(np.isfinite(part).all() for part in parts):
        bad = ~np.isfinite(array)
        where = tuple(int(k) for k in np.argwhere(bad)[0])
        raise ValueError(
            f"{name} must be finite, got {array[where]} at index {where} ({int(bad.sum())} in all)"
        )


def positive_number(name, value):
    """Return `value` as a float that is finite and > 0, or raise a ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a positive number, got {describe(value)}")
    number = float(value)
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be positive and finite, got {value!r}")
    return number


def real_number(name, value):
    """Return `value` as a finite float, or raise a ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a real number, got {describe(value)}")
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be finite, got {value!r}")
    return number


def not_negative(name, value):
    """Return `value` as a finite float of at least 0, or raise a ValueError or TypeError."""
    number = real_number(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative, got {value!r}")
    return number


ORDINARY = 1e-60, 1e60
"""Sizes whose fourth powers, and those of their ratios, are representable."""


def require_ordinary(name, value):
    """Raise a ValueError for a positive number, or a largest size, beyond `ORDINARY`."""
    if not ORDINARY[0] <= value <= ORDINARY[1]:
        raise ValueError(
            f"{name} must be {ORDINARY[0]:g} to {ORDINARY[1]:g} in size, got {value:.3g}; rescale it"
        )


def positive_integer(name, value, minimum=1):
    """Return `value` as an int that is at least `minimum`, or raise a ValueError or TypeError."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer of at least {minimum}, got {describe(value)}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")
    return int(value)


def known_name(name, value, known):
    """Return `value` if it is one of `known`; otherwise raise a ValueError with the nearest known name."""
    known = sorted(known)
    if value in known:
        return value
    near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}{hint}")


def normalised_weights(value, n_rows):
    """Return weights c_i > 0 with sum 1; uniform for None.

    Raises
    ------
    ValueError
        For a wrong length, non-finite, zero or negative weights.
    """
    if value is None:
        return np.full(n_rows, 1.0 / n_rows)
    weights = real_array("sample_weight", value, 1, (n_rows,))
    if (weights <= 0).any():
        row = int(np.argmin(weights))
        raise ValueError(
            f"sample_weight must be positive, got {weights[row]} in row {row}; leave such rows out"
        )
    # the largest weight first: a sum of huge weights would overflow
    weights = weights / weights.max()
    return weights / weights.sum()
