"""What a column of cells is: numbers, categories, or something that is refused by name."""

import re
from dataclasses import dataclass

import numpy as np

from emmd.experiments.files.labels import number

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>"})
"""What other programs write for a cell without a value."""

_NUMBER_LIKE = re.compile(r"[-+]?[\d.,_' ]*\d[\d.,_' ]*([eE][-+]?\d+)?%?")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?|\d{1,2}:\d{2}(:\d{2})?"
)


@dataclass(frozen=True)
class Column:
    """The cells of one column.

    Attributes
    ----------
    source : str
        Of the table, for messages.
    name : str
    places : list of str
        ``line 2``, ``line 3``, ... of the cells.
    cells : list of str
    """

    source: str
    name: str
    places: list
    cells: list

    def place(self, k):
        """Return how a message names a cell."""
        return f"{self.source} {self.places[k]}, column {self.name!r}"

    def missing(self):
        """Return which cells have no value, bool of shape (n,)."""
        return np.array([cell.strip() in MISSING for cell in self.cells])

    def refuse_missing(self):
        """Raise a ValueError for the first cell without a value."""
        for k in np.flatnonzero(self.missing()):
            came = repr(self.cells[k]) if self.cells[k].strip() else "nothing"
            raise ValueError(f"{self.place(k)} must be a number or a category, got {came}: a missing cell")

    def is_text(self):
        """Return whether most cells that have a value are no numbers, nor written like some."""
        words = [not _NUMBER_LIKE.fullmatch(cell.strip()) and not _number(cell) for cell in self.cells]
        return 2 * sum(words) > len(words)

    def numbers(self):
        """Return the numbers, shape (n,); a ValueError names the first cell that is none."""
        return np.array([self._number(k) for k in range(len(self.cells))])

    def _number(self, k):
        text = self.cells[k]
        try:
            value = number(text)
        except ValueError:
            came = repr(text) if text.strip() else "nothing"
            raise ValueError(f"{self.place(k)} must be a number, got {came}") from None
        if not np.isfinite(value):
            raise ValueError(f"{self.place(k)} must be finite, got {text!r}")
        return value

    def categories(self):
        """Return the distinct texts in order, at least two, and no dates nor names of rows."""
        for k, cell in enumerate(self.cells):
            if _DATE.fullmatch(cell.strip()):
                raise ValueError(
                    f"{self.place(k)} must be a number or a category, got the date {cell!r}: turn dates into "
                    "numbers, e.g. days since the first"
                )
        found = sorted(set(self.cells))
        if len(found) == 1:
            raise ValueError(
                f"{self.place(0)} must be a number or one of several categories, got {found[0]!r} in all rows"
            )
        if len(found) == len(self.cells) > 2:
            raise ValueError(
                f"{self.place(0)} must be a number or a category that comes again, got {self.cells[0]!r}: "
                "every row has a text of its own"
            )
        return found

    def encoded(self):
        """Return names and columns of numbers, and the reference category of a text column or None."""
        dates = any(_DATE.fullmatch(cell.strip()) for cell in self.cells)
        if not (dates or self.is_text()):
            return [self.name], [self.numbers()], None
        reference, *others = self.categories()
        cells = np.array(self.cells, dtype=object)
        return [f"{self.name} = {c}" for c in others], [(cells == c).astype(float) for c in others], reference


def _number(text):
    try:
        number(text)
    except ValueError:
        return False
    return True
