"""Names, labels and tables as other people's files have them."""

import csv
import io

import numpy as np

NAMES = (
    "speed [m/s]",
    "c [/bold]",
    "[red]hot[/red]",
    "a[0]\\",
    "[link=file:///etc]x[/link]",
    "price $",
    "$x_1$ and $\\frac$",
    "$",
    "a_b^2_{c",
    "__private",
    ":warning: 100 %",
    '<script>alert(1)</script> & "co"',
    'it\'s, "so"; called',
    "two\nlines\r\nand\ttabs",
    "\x1b[31mred\x07\x7f",
    "Länge µm² 温度 🌡",
    "\u202eright to left\u200b",
    "{0} {task} %s %(x)d",
    "-",
    "--help",
    "nan",
    "1",
    "y" * 3000,
)
"""Column names, each a danger to one program or another."""

LABELS = (
    ("1_1", "11"),
    ("001", "1", "01"),
    ("NA", "nan", "None", "True"),
    ("9007199254740992", "9007199254740993"),
    ("1", "1.0", "1e0"),
    ("2.1", "2.10"),
    ("1", "\u0661"),
    ("yes", " yes", "yes "),
    ("[/bold]", "$", "a\nb"),
    ("é", "e\u0301"),
    ("x" * 2000, "x" * 2001),
    ("-0", "0"),
    ("inf", "-inf", "Infinity"),
    ("\x1b[31m", ":key:"),
)
"""Sets of labels that differ, though one program or another takes some of them for the same."""


def table(rng, names, columns):
    """Return a table as the text of a file, in one of the dialects that programs write.

    Parameters
    ----------
    rng : numpy.random.Generator
    names : list of str
    columns : list
        Of equally many values.
    """
    separator = ",;\t"[rng.integers(3)]
    end = ("\n", "\r\n")[rng.integers(2)]
    quoting = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)[rng.integers(2)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([names, *zip(*columns)])
    return ("\ufeff" if rng.integers(2) else "") + text.getvalue()


def write_table(path, rng, names, columns):
    """Write what `table` returns; return the path."""
    path.write_text(table(rng, names, columns), encoding="utf-8", newline="")
    return path


def shuffled_labels(rng, labels, n):
    """Return n labels, each of them at least twice."""
    drawn = np.array([*labels, *labels, *rng.choice(np.array(labels, dtype=object), n)], dtype=object)[:n]
    return rng.permutation(drawn)
