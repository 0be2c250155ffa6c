"""Reading a user's table: numbers and labels, one clear sentence for everything else."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emmd.core.checks import known_name
from emmd.experiments.console.consoles import literal, messages
from emmd.experiments.files.labels import number

_SEPARATORS = ",;\t"
_UNNAMED = ("", "Unnamed: 0")
"""How pandas calls a column of row numbers: when it writes them, and when it writes what it has read."""


@dataclass(frozen=True)
class Table:
    """A table with a target column.

    Attributes
    ----------
    names : list of str
        Feature columns.
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
        Numbers; where labels were asked for, texts as they stand in the file.
    """

    names: list
    X: np.ndarray
    y: np.ndarray


def read_table(path, target, labels=False):
    """Read a CSV file with a header; a first column without a name that numbers the rows is left out.

    Parameters
    ----------
    path : str or Path
        Separated by commas, semicolons or tabs.
    target : str
        Name of the target column; all other columns are features.
    labels : bool
        Whether the target is text.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For a missing file or column, no rows, rows of unequal length, columns without a name or with the
        same one, text, or missing values; the message names the line and the column.
    """
    header, rows = _without_row_numbers(path, target, *_rows(Path(path), target))
    known_name("--target", target, header)
    _refuse_names(path, header)
    column = header.index(target)
    names = [name for name in header if name != target]
    read = [_cells(path, line, row, header, column if labels else None) for line, row in rows]
    values = np.array([numbers for numbers, _ in read])
    if labels:
        # as objects: in an array of text all labels take as much room as the longest
        return Table(names, values, np.array([label for _, label in read], dtype=object))
    return Table(names, np.delete(values, column, axis=1), values[:, column])


def _rows(path, target):
    """Return the names of the columns, and (line, cells) of every row below."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            separator = max(_SEPARATORS, key=lambda mark: _names_found(file, mark, target))
            reader = _reader(file, separator)
            lines = [(reader.line_num, row) for row in reader if row not in ([], [""])]
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} must be a readable CSV file, got: {error}") from error
    if len(lines) < 2:
        raise ValueError(f"{path} must have a header and at least one row, got {len(lines)} line(s)")
    return [name.strip() for name in lines[0][1]], lines[1:]


def _reader(file, separator):
    file.seek(0)
    # strict: a quote that is never closed would take all that follows into one cell
    return csv.reader(_without_nul(file), delimiter=separator, strict=True)


def _without_nul(file):
    for line in file:
        if "\0" in line:
            raise ValueError("a character of code 0, which ends texts in other programs")
        yield line


def _names_found(file, separator, target):
    """Return whether the header has the target when it is cut at a separator, and how many names."""
    try:
        names: list = next(_reader(file, separator), [])
    except csv.Error:
        return False, 0
    return target in map(str.strip, names), len(names)


def _without_row_numbers(path, target, header, rows):
    """Return header and rows without a first column that pandas has put there, and say so."""
    if header[0] not in _UNNAMED or header[0] == target:
        return header, rows
    numbers = [row[0] for _, row in rows]
    if not all(map(str.isdecimal, numbers)) or len(set(numbers)) < len(numbers):
        return header, rows
    messages.print(literal(f"{path}: the first column numbers the rows and has no name; it is left out"))
    return header[1:], [(line, row[1:]) for line, row in rows]


def _refuse_names(path, header):
    if "" in header:
        raise ValueError(f"{path} must name every column, got none for column {header.index('') + 1}")
    if len(set(header)) < len(header):
        raise ValueError(f"{path} must have distinct column names, got {header}")
    if len(header) < 2:
        raise ValueError(f"{path} must have a feature column next to the target, got only {header}")


def _cells(path, line, row, header, label):
    """Return the numbers of a row, and the text in the column of labels, if there is one."""
    if len(row) != len(header):
        raise ValueError(f"{path} line {line} must have {len(header)} values, got {len(row)}")
    if label is None:
        return [_number(path, line, *cell) for cell in zip(header, row)], None
    if not row[label].strip():
        raise ValueError(f"{path} line {line} must have a label in the target column, got nothing")
    rest = (cell for k, cell in enumerate(zip(header, row)) if k != label)
    return [_number(path, line, *cell) for cell in rest], row[label]


def _number(path, line, name, text):
    try:
        value = number(text)
    except ValueError:
        came = repr(text) if text.strip() else "nothing"
        raise ValueError(f"{path} line {line}, column {name!r} must be a number, got {came}") from None
    if not np.isfinite(value):
        raise ValueError(f"{path} line {line}, column {name!r} must be finite, got {text!r}")
    return value
