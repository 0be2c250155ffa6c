"""Tables for other programs and for papers: CSV and LaTeX."""

import re

import pandas as pd


def shown(value):
    """Return a value as tables on paper show it: four significant digits."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return "-" if pd.isna(value) else f"{value:.4g}"


def heading(column):
    """Return what tables on paper call a column; ``x_10`` and ``x_90`` are percentiles."""
    return re.sub("_(10|90)$", r" (\1 %)", str(column)).replace("_", " ")


def save_table(table, folder, name):
    """Write a data frame as ``name.csv`` with all digits and ``name.tex`` with four.

    Raises
    ------
    ValueError
        If the folder cannot be written to.
    """
    try:
        table.to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.tex").write_text(latex(table), encoding="utf-8")
    except OSError as error:
        raise ValueError(f"--out must be a folder that can be written to, got {folder}: {error}") from error


def latex(table):
    """Return a data frame as a LaTeX ``tabular``, numbers to the right, text to the left."""
    columns = "".join("r" if pd.api.types.is_numeric_dtype(kind) else "l" for kind in table.dtypes)
    rows = [
        [heading(name) for name in table.columns],
        *([shown(cell) for cell in row] for row in _rows(table)),
    ]
    head, *body = [" & ".join(_escaped(cell) for cell in row) + r" \\" for row in rows]
    lines = [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\hline",
        head,
        r"\hline",
        *body,
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _rows(table):
    return table.itertuples(index=False, name=None)


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\^{}",
    "~": r"\~{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
_SPECIAL |= {character: "\\" + character for character in "&%$#_{}"}


def _escaped(text):
    return "".join(_SPECIAL.get(character, character) for character in text)
