"""A table as a formula sees it."""

import numpy as np
from pandas import DataFrame

from emmd.experiments.files.table import Table, read_columns, taken
from emmd.tables.formula import formula_design


def formula_table(path, formula, drop_missing, labels, groups=None):
    """Return the `Table` that a formula makes of a file, and the estimator's options that it says.

    Parameters
    ----------
    path : str
    formula : str
    drop_missing, labels, groups
        As in `read_table`.
    """
    if labels:
        raise ValueError("--formula must not be given for a family of labels: its targets are numbers")
    columns, dropped = read_columns(path, None, False, drop_missing)
    together = taken(columns, groups)
    frame = DataFrame({name: _values(column) for name, column in columns.items()})
    design = formula_design(formula, frame)
    names = list(design.X.columns)
    table = Table(names, np.asarray(design.X), design.y, {}, dropped, together)
    return table, design.options


def _values(column):
    return np.array(column.cells, dtype=object) if column.is_text() else column.numbers()
