"""Reading tables: numbers are numbers, labels are text, and what is left out or refused is said."""

import numpy as np
import pandas as pd
import pytest

from emmd.experiments.files.labels import class_labels
from emmd.experiments.files.table import read_table
from tests.generators.hostile_names import LABELS, NAMES, shuffled_labels, write_table

DRAWS = range(60)


@pytest.mark.parametrize("seed", DRAWS)
def test_every_name_comes_back_and_every_number(seed, tmp_path):
    rng = np.random.default_rng([seed, 1])
    names = [*map(str, rng.choice(np.array(NAMES, dtype=object), 3, replace=False)), "target, [t]"]
    X = rng.standard_normal((12, 4)) * 10.0 ** rng.integers(-300, 300, 4)
    path = write_table(tmp_path / "t.csv", rng, names, [map(repr, column.tolist()) for column in X.T])
    read = read_table(path, "target, [t]")
    assert read.names == names[:-1]
    np.testing.assert_array_equal(read.X, X[:, :-1])
    np.testing.assert_array_equal(read.y, X[:, -1])


@pytest.mark.parametrize("seed", DRAWS)
def test_every_label_is_a_class_of_its_own_and_comes_back(seed, tmp_path):
    rng = np.random.default_rng([seed, 2])
    chosen = LABELS[seed % len(LABELS)]
    labels = shuffled_labels(rng, chosen, 4 * len(chosen))
    numbers = rng.standard_normal(len(labels)).tolist()
    path = write_table(tmp_path / "t.csv", rng, ["x", "y"], [numbers, labels])
    read = read_table(path, "y", labels=True)
    assert read.y.tolist() == list(labels)
    assert set(class_labels(read.y, "categorical")) == set(chosen)


@pytest.mark.parametrize(
    ("texts", "classes"),
    [
        (["0", "1", "10", "2"], [0, 1, 2, 10]),
        (["0.0", "1.0", "-1.0"], [-1, 0, 1]),
        (["007", "7"], ["007", "7"]),
        (["1", "NA"], ["1", "NA"]),
        ([str(2**53), "1"], ["1", str(2**53)]),
        ([str(2**53 - 1), "1"], [1, 2**53 - 1]),
        (["0.5", "1.5"], ["0.5", "1.5"]),
    ],
)
def test_labels_are_numbers_only_where_nothing_is_lost(texts, classes):
    labels = class_labels(np.array(texts * 3, dtype=object), "categorical")
    assert np.unique(labels).tolist() == classes


def test_measurements_are_no_labels():
    texts = np.array([f"{value:.6f}" for value in np.random.default_rng(0).random(30)], dtype=object)
    with pytest.raises(ValueError, match="must hold whole numbers for family categorical"):
        class_labels(texts, "categorical")


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
@pytest.mark.parametrize("numbers", [range(5), range(1, 6), [7, 3, 900, 0, 12]])
def test_row_numbers_without_a_name_are_left_out_and_said(name, numbers, tmp_path, capsys):
    columns = [list(numbers), [2.5, 1.5, 0.5, 3.5, 9.5], [1, 2, 3, 4, 5]]
    path = write_table(tmp_path / "[x].csv", np.random.default_rng(0), [name, "x", "y"], columns)
    read = read_table(path, "y")
    assert (read.names, read.X.ravel().tolist()) == (["x"], columns[1])
    said = " ".join(capsys.readouterr().err.split())
    assert said.endswith("the first column numbers the rows and has no name; it is left out")


def test_only_row_numbers_without_a_name_are_left_out(tmp_path, capsys):
    columns = [[1, 1, 2], [2.5, 1.5, 0.5], [1, 2, 3]]
    rng = np.random.default_rng(0)
    path = tmp_path / "t.csv"
    for names in (["", "x", "y"], ["x", "", "y"]):
        with pytest.raises(ValueError, match="must name every column, got none for column"):
            read_table(write_table(path, rng, names, columns), "y")
    for name in ("id", "Unnamed: 0"):
        assert read_table(write_table(path, rng, [name, "x", "y"], columns), "y").names == [name, "x"]
    assert capsys.readouterr().err == ""


REFUSED = [
    ("x,y\n1_1,2\n2,3\n", "line 2, column 'x' must be a number, got '1_1'"),
    ("x,y\n1,2\n\u0661,3\n", "line 3, column 'x' must be a number, got '\u0661'"),
    ("x,y\n1,2\n1e999,3\n", "line 3, column 'x' must be finite, got '1e999'"),
    ("x,y\n1,NA\n2,3\n", "line 2, column 'y' must be a number, got 'NA'"),
    ("x,y\n1,2\nNA,3\n", "line 3, column 'x' must be a number or a category, got 'NA': a missing cell"),
    ("x,y\na,2\n ,3\n", "line 3, column 'x' must be a number or a category, got nothing: a missing cell"),
    ("x,y\na,2\na,3\n", "line 2, column 'x' must be a number or one of several categories, got 'a'"),
    ("x,y\na,2\nb,3\nc,4\n", "line 2, column 'x' must be a number or a category that comes again"),
    ("x,y\n2020-01-31,2\n2020-02-01,3\n", "line 2, column 'x' must be a number or a category, got the date"),
    ("x,y\n,2\n,3\n", "column 'x' must have a value in some row, got missing cells only"),
    ("x,y\n1,2,3\n", "line 2 must have 2 values, got 3"),
    ("x,y\n1,True\n2,3\n", "line 2, column 'y' must be a number, got 'True'"),
    ('x,y\n1,2\n"3,4\n5,6\n', "unexpected end of data"),
    ("x,y\n1,2\n3\0,4\n", "character of code 0"),
    ('"a\nb",y\n1,2\nz,4\n', r"line 4, column 'a\nb' must be a number, got 'z'"),
    ("x,x,y\n1,2,3\n", "must have distinct column names"),
    ("x;y\n1,5;2\n", "line 2, column 'x' must be a number, got '1,5'"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=[says[:40] for _, says in REFUSED])
def test_what_is_no_number_is_refused(text, says, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        read_table(path, "y")
    assert says in str(refusal.value)


def test_a_file_in_another_alphabet_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("x,y\n1,2\n".encode("utf-16"))
    with pytest.raises(ValueError, match="must be a readable CSV file"):
        read_table(path, "y")


def table(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_text_becomes_indicators_against_a_category_that_is_said(tmp_path, capsys):
    path = table(tmp_path, "site $x$ [m],x,y\nb,1,2\na,2,3\n001,3,4\na,4,5\n")
    read = read_table(path, "y")
    assert read.names == ["site $x$ [m] = a", "site $x$ [m] = b", "x"]
    np.testing.assert_array_equal(read.X, [[0, 1, 1], [1, 0, 2], [0, 0, 3], [1, 0, 4]])
    assert read.references == {"site $x$ [m]": "001"}
    assert "its categories are compared with '001'" in " ".join(capsys.readouterr().err.split())


def test_rows_with_missing_cells_are_dropped_and_counted(tmp_path, capsys):
    path = table(tmp_path, "site,x,y\na,1,2\n,2,3\nb,NA,4\nb,4,5\na,5,nan\n")
    read = read_table(path, "y", drop_missing=True)
    assert (read.names, read.y.tolist(), read.dropped) == (["site = b", "x"], [2.0, 5.0], 3)
    assert "3 of 5 rows have a missing cell" in " ".join(capsys.readouterr().err.split())
    # a label may be called NA
    labels = read_table(table(tmp_path, "x,y\n1,NA\n2,b\n3,\n"), "y", True, True)
    assert labels.y.tolist() == ["NA", "b"]


def test_parquet_is_read_as_the_same_table_in_csv(tmp_path):
    frame = pd.DataFrame(
        {"x": [0.1, 1e-300, np.pi], "k": [1, 2, 3], "s": ["a", "b", "a"], "y": [1.5, 2.5, 3.5]}
    )
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    one, other = (read_table(tmp_path / name, "y") for name in ("t.parquet", "t.csv"))
    assert one.names == other.names == ["x", "k", "s = b"]
    np.testing.assert_array_equal(one.X, np.column_stack([frame["x"], frame["k"], [0, 1, 0]]))
    np.testing.assert_array_equal(one.y, frame["y"])
    frame.assign(when=pd.date_range("2020-01-01", periods=3)).to_parquet(tmp_path / "d.parquet")
    with pytest.raises(ValueError, match="row 0, column 'when' must be a number or a category, got the date"):
        read_table(tmp_path / "d.parquet", "y")
    frame.assign(x=[1.0, None, 2.0]).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(ValueError, match=r"row 1, column 'x' .* a missing cell"):
        read_table(tmp_path / "m.parquet", "y")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="must be a readable Parquet file"):
        read_table(tmp_path / "b.parquet", "y")
