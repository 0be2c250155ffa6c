"""Reading a user's table: numbers and labels, one clear sentence for everything else."""

import csv
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from emmd.core.checks import known_name
from emmd.experiments.console.consoles import literal, messages
from emmd.experiments.files.columns import Column

_SEPARATORS = ",;\t"
_UNNAMED = ("", "Unnamed: 0")
"""How pandas calls a column of row numbers: when it writes them, and when it writes what it has read."""


@dataclass(frozen=True)
class Table:
    """A table with a target column.

    Attributes
    ----------
    names : list of str
        Feature columns; ``site = b`` for the rows whose ``site`` is ``b``.
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
        Numbers; where labels were asked for, texts as they stand in the file.
    references : dict of str to str
        For each column of text the category that has no indicator.
    dropped : int
        Rows left out for a missing cell.
    groups : ndarray of shape (n,) or None
        Of each row, as text.
    """

    names: list
    X: np.ndarray
    y: np.ndarray
    references: dict = field(default_factory=dict)
    dropped: int = 0
    groups: np.ndarray | None = None


def read_table(path, target, labels=False, drop_missing=False, groups=None):
    """Read a CSV or Parquet file; text becomes indicators against a category that is said.

    Parameters
    ----------
    path : str or Path
        CSV with a header, separated by commas, semicolons or tabs; or Parquet. A first column without a name
        that numbers the rows is left out.
    target : str
        Name of the target column; all other columns are features.
    labels : bool
        Whether the target is text.
    drop_missing : bool
        Whether rows with a missing cell are left out, and counted; else the first one is an error.
    groups : str, optional
        A column that is no feature: it says which rows belong together.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For a missing file or column, no rows, rows of unequal length, columns without a name or with the
        same one, dates, one category only, or missing values; the message names the line and the column.
    """
    columns, dropped = read_columns(path, target, labels, drop_missing)
    together = taken(columns, groups)
    names, parts, references = [], [], {}
    for column in columns.values():
        if column.name == target:
            continue
        some, values, reference = column.encoded()
        names += some
        parts += values
        if reference is not None:
            references[column.name] = reference
    if len(set(names)) < len(names) or not names:
        raise ValueError(f"{path} must have distinct column names, those of features among them, got {names}")
    for name, reference in references.items():
        say(f"{path}: column {name!r} is text; its categories are compared with {reference!r}")
    # labels as objects: in an array of text all labels take as much room as the longest
    y = np.array(columns[target].cells, dtype=object) if labels else columns[target].numbers()
    return Table(names, np.column_stack(parts), y, references, dropped, together)


def taken(columns, groups):
    """Take the column of groups out of the columns; return its cells, or None."""
    if groups is None:
        return None
    return np.array(columns.pop(known_name("--groups", groups, list(columns))).cells, dtype=object)


def read_columns(path, target, labels=False, drop_missing=False):
    """Return the columns of a file by name, `Column`, without missing cells, and how many rows had some."""
    header, rows = _without_row_numbers(path, target, *_content(Path(path), target))
    if target is not None:
        known_name("--target", target, header)
    _refuse_names(path, header)
    for place, row in rows:
        if len(row) != len(header):
            raise ValueError(f"{path} {place} must have {len(header)} values, got {len(row)}")
    places = [place for place, _ in rows]
    columns = {
        name: Column(str(path), name, places, list(cells))
        for name, cells in zip(header, zip(*(row for _, row in rows)))
    }
    missing = {name: _missing(column, labels and name == target) for name, column in columns.items()}
    for name, cells in missing.items():
        if cells.all():
            raise ValueError(f"{path} column {name!r} must have a value in some row, got missing cells only")
    lost = np.any(list(missing.values()), axis=0)
    if not drop_missing:
        _refuse_missing(columns, target, labels)
        return columns, 0
    kept = np.flatnonzero(~lost)
    if not len(kept):
        raise ValueError(f"{path} must have a row without missing cells, got none")
    if lost.any():
        say(f"{path}: {lost.sum()} of {len(lost)} rows have a missing cell; they are left out")
    return {name: _some(column, kept) for name, column in columns.items()}, int(lost.sum())


def say(sentence):
    """Print a sentence about the table to standard error."""
    messages.print(literal(sentence), soft_wrap=True)


def _missing(column, label):
    """Return which cells have no value; a label may be any text but none."""
    return np.array([not cell.strip() for cell in column.cells]) if label else column.missing()


def _refuse_missing(columns, target, labels):
    for name, column in columns.items():
        if name != target:
            column.refuse_missing()
        elif labels and _missing(column, True).any():
            place = column.places[int(np.argmax(_missing(column, True)))]
            raise ValueError(f"{column.source} {place} must have a label in the target column, got nothing")


def _some(column, kept):
    places, cells = ([values[k] for k in kept] for values in (column.places, column.cells))
    return replace(column, places=places, cells=cells)


def _content(path, target):
    """Return the names of the columns, and (place, cells) of every row below."""
    if path.suffix.lower() not in (".parquet", ".pq"):
        header, rows = _rows(path, target)
        return header, [(f"line {line}", row) for line, row in rows]
    from pandas import read_parquet

    try:
        table = read_parquet(path)
    except Exception as error:  # what a damaged file may raise cannot be listed
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path} must be a readable Parquet file, got: {reason}") from error
    if not len(table):
        raise ValueError(f"{path} must have at least one row, got none")
    columns = [_texts(table.iloc[:, j]) for j in range(table.shape[1])]
    return [str(name) for name in table], [(f"row {k}", list(row)) for k, row in enumerate(zip(*columns))]


def _texts(column):
    """Return cells as texts from which every number comes back."""
    missing = column.isna().to_numpy()
    return ["" if gone else str(value) for gone, value in zip(missing, column.tolist())]


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
    say(f"{path}: the first column numbers the rows and has no name; it is left out")
    return header[1:], [(line, row[1:]) for line, row in rows]


def _refuse_names(path, header):
    if "" in header:
        raise ValueError(f"{path} must name every column, got none for column {header.index('') + 1}")
    if len(set(header)) < len(header):
        raise ValueError(f"{path} must have distinct column names, got {header}")
    if len(header) < 2:
        raise ValueError(f"{path} must have a feature column next to the target, got only {header}")
