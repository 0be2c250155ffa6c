"""Rows of any kind: nested tuples and dicts of arrays whose first axis counts rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emmd.core.checks import describe, is_finite


@dataclass(frozen=True)
class LatentData:
    """A weighted sample as the user's functions get it.

    Attributes
    ----------
    X, y : array, or nested tuples, lists and dicts of arrays, or None
    weights : ndarray of shape (n,)
        With sum 1.
    kept : dict
        What is computed once for these data.
    """

    X: Any
    y: Any
    weights: np.ndarray
    kept: dict = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: str, compute: Callable[[], Any]) -> Any:
        """Return ``compute()``, computed at the first call with this key."""
        if key not in self.kept:
            self.kept[key] = compute()
        return self.kept[key]

    def add_up(self, sums: Callable, *arguments: Any) -> Any:
        """Return ``sums(data, *arguments)``, a sum over all rows."""
        return sums(self, *arguments)


@dataclass(frozen=True)
class One:
    """One value that stands for every row.

    Attributes
    ----------
    value : object
    n : int
        Rows.
    """

    value: Any
    n: int

    @classmethod
    def of(cls, rows: Any) -> "One | None":
        """Return what all rows are, or None where they differ."""
        if rows is None:
            return cls(None, 0)
        if isinstance(rows, cls):
            return rows
        same = isinstance(rows, np.ndarray) and (len(rows) == 1 or rows.strides[0] == 0 or _alike(rows))
        return cls(rows[0], len(rows)) if same else None

    def spread(self, value: Any) -> np.ndarray:
        """Return a function's value at the one row as its values at all rows."""
        value = np.asarray(value)
        return np.broadcast_to(value, (self.n, *value.shape))


def _alike(rows):
    return bool((rows[0] == rows[-1]).all() and (rows == rows[0]).all())


def checked_rows(name: str, value: Any) -> tuple[Any, set[int]]:
    """Return a tree of finite arrays and the lengths of their first axes.

    Numbers become float64; integers and truth values, such as classes and masks, stay what they are.
    """
    if value is None:
        return None, set()
    if isinstance(value, dict):
        parts = {key: checked_rows(f"{name}[{key!r}]", each) for key, each in value.items()}
        return {key: part for key, (part, _) in parts.items()}, set().union(*(n for _, n in parts.values()))
    if isinstance(value, tuple):
        found = [checked_rows(f"{name}[{k}]", each) for k, each in enumerate(value)]
        return tuple(part for part, _ in found), set().union(*(n for _, n in found))
    array = _array(name, value)
    return array, {len(array)}


def _array(name, value):
    try:
        array = np.asarray(value)
    except Exception as error:
        raise ValueError(
            f"{name} must be an array, or a tuple or dict of arrays, got {describe(value)}"
        ) from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold numbers or truth values, got dtype {array.dtype}")
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"{name} must have rows along its first axis, got shape {array.shape}")
    array = np.ascontiguousarray(array, dtype=np.float64 if array.dtype.kind == "f" else None)
    if not is_finite(array):
        raise ValueError(
            f"{name} must be finite, got NaN or infinity (missing entries need a mask beside them)"
        )
    return array


def row_of(tree: Any, i: Any) -> Any:
    """Return one row, or those of a slice, of a tree of arrays."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: row_of(each, i) for key, each in tree.items()}
    if isinstance(tree, tuple):
        return tuple(row_of(each, i) for each in tree)
    return tree[i]
