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
    """

    names: list
    X: np.ndarray
    y: np.ndarray


def read_table(path, target):
    """Read a CSV file with a header.

    Parameters
    ----------
    path : str or Path
    target : str
        Name of the target column; all other columns are features.

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
    values = np.array([_numbers(path, line, row, header) for line, row in rows])
    column = header.index(target)
    names = [name for name in header if name != target]
    return Table(names, np.delete(values, column, axis=1), values[:, column])


def _rows(path):
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [(k, row) for k, row in enumerate(csv.reader(file), start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} must be a readable CSV file, got: {error}") from error
    if len(lines) < 2:
        raise ValueError(f"{path} must have a header and at least one row, got {len(lines)} line(s)")
    return [name.strip() for name in lines[0][1]], lines[1:]


def _numbers(path, line, row, header):
    if len(row) != len(header):
        raise ValueError(f"{path} line {line} must have {len(header)} values, got {len(row)}")
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
