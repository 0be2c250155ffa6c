"""Checks of what users pass in: one clear error that names the argument, what was expected and what came."""

import difflib
import math
import numbers
import os
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emmd.rows.memory_map import chunks_of_rows

MANY = 2**20
"""The most features, experts, starts or inner steps: what takes that many would never end."""

_LARGEST_COUNT = 2**53
_NAMES = 12
"""Names that an error message lists."""

_SMALL = 1000
"""Entries of an array that is looked at whole."""

_SINGLE = np.finfo(np.float32).eps


class NotFiniteError(ArithmeticError, ValueError):
    """An argument is legitimate, but what was asked for overflows there."""


class DomainError(ArithmeticError, ValueError):
    """A parameter lies outside the domain that a model declares."""


def describe(value) -> str:
    """Return a short description of a value for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    try:
        text = " ".join(repr(value).split())
    except Exception:
        # Python refuses to print integers of many digits, and an object of the user's may raise anything
        return f"an object that cannot be printed ({type(value).__name__})"
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


# arrays


def real_array(name, value, ndim, shape=None) -> np.ndarray:
    """Return `value` as a contiguous float64 array of `ndim` dimensions, all finite.

    Parameters
    ----------
    name : str
        The argument's name, for the error message.
    value : array_like
    ndim : int or None
        None leaves the number of dimensions free.
    shape : tuple of (int or None), optional
        Required lengths; None leaves a length free.

    Raises
    ------
    TypeError
        For text, dates, complex or object data.
    ValueError
        For a wrong number of dimensions, a wrong length, no data, NaN, infinity, masked entries, or a table
        with two columns of one name.
    """
    # most arrays are plain already, and small ones are asked for often
    plain = type(value) is np.ndarray and value.dtype == np.float64
    array = value if plain else _numeric(name, value)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if shape is not None and shape != array.shape and any(map(_differ, shape, array.shape)):
        wanted = tuple("any" if want is None else want for want in shape)
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if array.dtype != np.float64:
        with np.errstate(over="ignore"):
            # extended precision reaches farther
            array = array.astype(np.float64)
    array = np.asarray(array, order="C")
    if not is_finite(array):
        _refuse(name, array)
    # kernels would be compiled anew for what cannot be written, and pandas hands out such arrays
    return array.copy() if array.ndim == 1 and not array.flags.writeable else array


def _differ(want, got):
    return want is not None and want != got


def numbers_array(name, value) -> np.ndarray:
    """Return a number as an array without dimensions, or an array of any shape; all finite."""
    plain = _plain(value)
    return (
        np.array(real_number(name, plain))
        if _is_number(plain, numbers.Real)
        else real_array(name, value, None)
    )


def require_unmasked(name, value) -> None:
    """Raise a ValueError for masked entries: NumPy and scikit-learn would read what lies under the mask."""
    # other types may have a mask too, and a table a column of that name
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        count = int(np.ma.count_masked(value))
        raise ValueError(f"{name} must have no masked entries, got {count} of {value.size}")


def require_distinct_columns(name, value) -> None:
    """Raise a ValueError for a table in which two columns have one name: a wrong join, most often."""
    columns: Any = getattr(value, "columns", None)
    if getattr(columns, "is_unique", True) is False:
        twice = columns[columns.duplicated()][0]
        raise ValueError(f"{name} must have columns of different names, got {twice!r} more than once")


def _numeric(name, value):
    require_unmasked(name, value)
    require_distinct_columns(name, value)
    try:
        array = np.asarray(value)
    except Exception as error:
        # what a user's object does when it is asked for an array is its own affair
        raise ValueError(
            f"{name} must be a rectangular array of real numbers, got {describe(value)}"
        ) from error
    if array.dtype.kind == "O" and array.ndim == 0:
        # a sparse matrix, say: its dtype would tell nothing
        raise TypeError(f"{name} must hold real numbers in an array, got {describe(array.item())}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array


def _refuse(name, array):
    bad = ~np.isfinite(array)
    where = tuple(int(k) for k in np.argwhere(bad)[0])
    raise ValueError(f"{name} must be finite, got {array[where]} at index {where} ({int(bad.sum())} in all)")


def is_finite(array) -> bool:
    """Return whether all entries of an array are finite."""
    if array.size <= _SMALL:
        # counting takes half of the time of `all`, and every step asks this twice
        return np.count_nonzero(np.isfinite(array)) == array.size
    # chunk by chunk: a mask of all entries would be an eighth of the data, and a file need not fit the memory
    return all(np.isfinite(chunk).all() for _, chunk in chunks_of_rows(array))


def require_finite(name, what, *results) -> None:
    """Raise a NotFiniteError unless all results, arrays or numbers, are finite."""
    for result in map(np.asarray, results):
        if not is_finite(result):
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(result))[0])
            place = f" at index {where}" if where else ""
            raise NotFiniteError(f"{name} must give finite {what}, got {result[where]}{place}")


def probabilities(name, value, shape) -> np.ndarray:
    """Return an array of probabilities; in two dimensions every row must sum to one.

    Rows may miss one by what single precision leaves of a sum of that length.

    Raises
    ------
    TypeError, ValueError
        As `real_array`, and for entries outside [0, 1] or rows of another sum.
    """
    p = real_array(name, value, len(shape), shape)
    if (p < 0).any() or (p > 1).any():
        raise ValueError(f"{name} must lie in [0, 1], got values from {p.min()} to {p.max()}")
    if p.ndim == 2:
        miss = np.abs(p.sum(axis=1) - 1.0)
        row = int(miss.argmax())
        if miss[row] > p.shape[1] * _SINGLE:
            raise ValueError(f"{name} must have rows that sum to 1, got {p[row].sum():.9g} in row {row}")
    return p


ORDINARY = 1e-60, 1e60
"""Sizes whose fourth powers, and those of their ratios, are representable."""


def require_ordinary(name, value) -> None:
    """Raise a ValueError for a positive number, or a largest size, beyond `ORDINARY`."""
    if not ORDINARY[0] <= value <= ORDINARY[1]:
        raise ValueError(
            f"{name} must be {ORDINARY[0]:g} to {ORDINARY[1]:g} in size, got {value:.3g}; rescale it"
        )


def normalised_weights(value, n_rows) -> np.ndarray:
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


# numbers


def _plain(value):
    """Return what an array without dimensions holds; anything else as it is."""
    return value[()] if type(value) is np.ndarray and value.ndim == 0 else value


def _is_number(value, kind):
    # NumPy's time spans call themselves integers
    return isinstance(value, kind) and not isinstance(value, bool | np.timedelta64)


def real_number(name, value, expected="a real number", limits="finite") -> float:
    """Return `value` as a finite float, or raise a ValueError or TypeError.

    Fractions, NumPy's scalars and arrays without dimensions are numbers; truth values and text are not.
    """
    plain = _plain(value)
    if not _is_number(plain, numbers.Real):
        raise TypeError(f"{name} must be {expected}, got {describe(value)}")
    try:
        number = float(plain)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} must be {limits}, got {describe(plain)}")
    return number


def any_number(name, value) -> float:
    """Return `value` as a float, which may be infinite or no number, or raise a TypeError."""
    plain = np.asarray(value) if hasattr(value, "__array__") else value
    if isinstance(plain, np.ndarray) and plain.ndim == 0:
        plain = plain.item()
    if not _is_number(plain, numbers.Real):
        raise TypeError(f"{name} must be a real number, got {describe(value)}")
    try:
        return float(plain)
    except OverflowError:
        return math.inf if plain > 0 else -math.inf


def positive_number(name, value, least=0.0, largest=math.inf) -> float:
    """Return `value` as a float that is finite, > 0 and within bounds, or raise a ValueError or TypeError."""
    number = real_number(name, value, "a positive number", "positive and finite")
    if number <= 0:
        raise ValueError(f"{name} must be positive, got {describe(value)}")
    if not least <= number <= largest:
        raise ValueError(f"{name} must be between {least:g} and {largest:g}, got {describe(value)}")
    return number


def not_negative(name, value, largest=math.inf) -> float:
    """Return `value` as a finite float from 0 to `largest`, or raise a ValueError or TypeError."""
    number = real_number(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative, got {describe(value)}")
    if number > largest:
        raise ValueError(f"{name} must be at most {largest:g}, got {describe(value)}")
    return number


def number_or_word(name, value, word) -> float | str:
    """Return `value` as a positive float, or the one word that may stand for it."""
    if not isinstance(value, str):
        return positive_number(name, value)
    if value != word:
        raise ValueError(f"{name} must be a positive number or {word!r}, got {describe(value)}")
    return value


def number_between(name, value, low, high) -> float:
    """Return `value` as a float from `low` to `high`, or raise a ValueError or TypeError."""
    number = real_number(name, value)
    if not low <= number <= high:
        raise ValueError(f"{name} must be between {low:g} and {high:g}, got {describe(value)}")
    return number


def one_for_all(name, value, length) -> np.ndarray:
    """Return an array of a length; a number holds for every entry. Raise a ValueError or TypeError."""
    values = numbers_array(name, value)
    return np.full(length, values) if values.ndim == 0 else real_array(name, values, 1, (length,))


def positive_integer(name, value, minimum=1, maximum=_LARGEST_COUNT) -> int:
    """Return `value` as an int from `minimum` to `maximum`, or raise a ValueError or TypeError."""
    plain = _plain(value)
    if not _is_number(plain, numbers.Integral):
        raise TypeError(f"{name} must be an integer of at least {minimum}, got {describe(value)}")
    count = int(plain)
    if count < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {describe(plain)}")
    if count > maximum:
        raise ValueError(f"{name} must be at most {maximum}, got {describe(plain)}")
    return count


def seed_integer(name, value) -> int:
    """Return `value` as an int of at least 0, however large, or raise a ValueError or TypeError."""
    return positive_integer(name, value, minimum=0, maximum=math.inf)


def random_generator(name, value) -> np.random.Generator:
    """Return a NumPy generator for a seed: None, integers of at least 0, or a source of random numbers.

    Raises
    ------
    TypeError, ValueError
        For what NumPy takes for no seed.
    """
    plain = _plain(value)
    if _is_number(plain, numbers.Integral):
        plain = seed_integer(name, plain)
    try:
        if isinstance(plain, bool | np.bool_ | np.timedelta64):
            raise TypeError("a truth value or a time span is no seed")
        return np.random.default_rng(plain)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{name} must be None, integers of at least 0 or a numpy.random.Generator, got {describe(value)}"
        ) from error


# other values


def known_name(name, value, known) -> str:
    """Return `value` if it is one of `known`; otherwise raise an error with the nearest known name."""
    known = sorted(known)
    if isinstance(value, str) and value in known:
        return value
    choice = ", ".join(known[:_NAMES]) + (f", ... ({len(known)} in all)" if len(known) > _NAMES else "")
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {choice}, got {describe(value)}")
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{name} must be one of {choice}, got {describe(value)}{hint}")


def instance(name, value, kind, expected) -> Any:
    """Return `value` if it is an instance of `kind`; otherwise raise a TypeError."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {expected}, got {describe(value)}")
    return value


def all_of(name, values, kind, expected) -> tuple:
    """Return a sequence as a tuple if all its entries are instances of `kind`, or raise a TypeError."""
    entries = instance(name, values, tuple | list, f"a sequence of {expected}")
    for entry in entries:
        instance(f"every entry of {name}", entry, kind, f"one of {expected}")
    return tuple(entries)


def flag(name, value) -> bool:
    """Return `value` as a bool, or raise a TypeError for anything but True and False."""
    return bool(instance(name, _plain(value), bool | np.bool_, "True or False"))


def function_or_none(name, value) -> Callable | None:
    """Return `value` if it can be called or is None, or raise a TypeError."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable or None, got {describe(value)}")
    return value


def file_path(name, value) -> Path:
    """Return `value` as a Path, or raise a TypeError or ValueError for what names no file."""
    path = Path(instance(name, value, str | os.PathLike, "a path, text or a Path"))
    if "\0" in str(path):
        raise ValueError(f"{name} must be a path, got one with a null character: {describe(value)}")
    return path


@contextmanager
def in_memory(name, value):
    """Turn the failure to make an array whose size is an argument into a ValueError that names it."""
    try:
        yield
    except MemoryError as error:
        raise ValueError(
            f"{name} must be small enough for the memory, got {describe(value)}: {error}"
        ) from None
