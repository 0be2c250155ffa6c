"""Reading a user's table: numbers only, one clear sentence for everything else."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emmd.core.checks import known_name


@dataclass(frozen=True)
class Table:
    """A table with a target column.

    Attributes
    ----------
    names : list of str
        Feature columns.
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
        Numbers, or text where labels were asked for and are no numbers.
    """

    names: list
    X: np.ndarray
    y: np.ndarray


def read_table(path, target, labels=False):
    """Read a CSV file with a header.

    Parameters
    ----------
    path : str or Path
        Separated by commas, or by the semicolons or tabs that stand in the header instead.
    target : str
        Name of the target column; all other columns are features.
    labels : bool
        Whether the target may be text.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For a missing file or column, no rows, rows of unequal length, text, or missing values;
        the message names the line and the column.
    """
    header, rows = _rows(Path(path))
    known_name("--target", target, header)
    if len(set(header)) < len(header):
        raise ValueError(f"{path} must have distinct column names, got {header}")
    if len(header) < 2:
        raise ValueError(f"{path} must have a feature column next to the target, got only {header}")
    column = header.index(target)
    y = _labels(path, rows, len(header), column) if labels else None
    if y is not None:
        # what is left to read is numbers
        rows = [(line, [*row[:column], "0", *row[column + 1 :]]) for line, row in rows]
    values = np.array([_numbers(path, line, row, header) for line, row in rows])
    names = [name for name in header if name != target]
    return Table(names, np.delete(values, column, axis=1), values[:, column] if y is None else y)


def _labels(path, rows, width, column):
    """Return the target as text, or None when it is all numbers."""
    texts = []
    for line, row in rows:
        _require_width(path, line, row, width)
        texts.append(row[column].strip())
        if not texts[-1]:
            raise ValueError(f"{path} line {line} must have a label in the target column, got nothing")
    return None if all(map(_is_number, texts)) else np.array(texts)


def _is_number(text):
    try:
        return np.isfinite(float(text))
    except ValueError:
        return False


def _require_width(path, line, row, width):
    if len(row) != width:
        raise ValueError(f"{path} line {line} must have {width} values, got {len(row)}")


def _rows(path):
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            separator = next((mark for mark in ",;\t" if mark in header), ",")
            file.seek(0)
            reader = csv.reader(file, delimiter=separator)
            lines = [(k, row) for k, row in enumerate(reader, start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} must be a readable CSV file, got: {error}") from error
    if len(lines) < 2:
        raise ValueError(f"{path} must have a header and at least one row, got {len(lines)} line(s)")
    return [name.strip() for name in lines[0][1]], lines[1:]


def _numbers(path, line, row, header):
    _require_width(path, line, row, len(header))
    numbers = []
    for name, text in zip(header, row):
        try:
            number = float(text)
        except ValueError:
            came = repr(text) if text.strip() else "nothing"
            raise ValueError(f"{path} line {line}, column {name!r} must be a number, got {came}") from None
        if not np.isfinite(number):
            raise ValueError(f"{path} line {line}, column {name!r} must be finite, got {text!r}")
        numbers.append(number)
    return numbers
