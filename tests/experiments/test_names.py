"""Names are text wherever they are shown: in the terminal, in figures and on the page of a report."""

import html
import io
import json
import re

import numpy as np
import pytest
from matplotlib import cbook
from rich.console import Console
from rich.table import Table

import emmd as package
from emmd.experiments.console.consoles import literal, results
from emmd.experiments.console.text import for_figure, visible
from emmd.experiments.figures.style import new_figure, save
from emmd.experiments.report.document import document
from tests.generators.hostile_names import LABELS, NAMES, shuffled_labels, write_table

TEXTS = [*NAMES, *(label for labels in LABELS for label in labels)]
SHORT = [text for text in TEXTS if len(text) < 100]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_shown_in_one_line_letter_by_letter(text):
    shown = visible(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
    assert len(visible(text, 20)) <= 20 * len("\\U0001f321")


def test_different_texts_are_shown_differently():
    assert len(set(map(visible, set(TEXTS)))) == len(set(TEXTS))


@pytest.mark.parametrize("text", SHORT, ids=range(len(SHORT)))
def test_the_terminal_shows_what_is_there(text):
    out = io.StringIO()
    console = Console(file=out, width=300, highlight=False, emoji=results._emoji)
    table = Table(show_header=False)
    table.add_row(literal(text))
    console.print(table)
    console.print(literal(text), soft_wrap=True)
    assert out.getvalue().count(visible(text)) == 2
    assert "\x1b" not in out.getvalue()


def test_figures_show_what_is_there(tmp_path):
    figure = new_figure(20.0, 20.0)
    for k, text in enumerate(TEXTS):
        shown = for_figure(text)
        assert not cbook.is_math_text(shown)
        assert shown.replace(r"\$", "$") == visible(text, 32)
        # beside a formula, too
        figure.text(0.1, k / len(TEXTS), shown)
        figure.text(0.6, k / len(TEXTS), f"$x^2$ {shown}")
    for path in save(figure, tmp_path, "names"):
        assert path.stat().st_size > 1000


def test_the_page_shows_what_is_there():
    for text in TEXTS:
        (title,) = re.findall("<title>(.*)</title>", document(text, "", []))
        assert html.unescape(title) == visible(text)
        assert "<" not in title


@pytest.mark.parametrize("seed", range(8))
def test_a_fit_with_any_names_shows_them_and_draws(emmd, tmp_path, seed):
    rng = np.random.default_rng([seed, 3])
    *features, target = map(str, rng.choice(np.array(NAMES, dtype=object), 2 + seed % 2, replace=False))
    labels = LABELS[seed % len(LABELS)][:2]
    n = 40
    X = rng.standard_normal((n, len(features)))
    regression = seed % 4 < 2
    y = X.sum(axis=1) + rng.standard_normal(n) if regression else shuffled_labels(rng, labels, n)
    path = write_table(tmp_path / "[b] $.csv", rng, [*features, target], [*X.T.tolist(), list(y)])
    out = tmp_path / "out $[/x]"
    family = "gaussian" if regression else "bernoulli"
    words = ["fit", path, f"--target={target}", "--experts", 2, "--family", family, "--starts", 1]
    words += [
        "--prior-strength",
        0.5,
        f"--gate-feature={features[0]}",
        "--out",
        out,
        "--json",
        tmp_path / "f.json",
    ]
    code, shown, err = emmd(*words)
    assert (code, err) == (0, "")
    fit = json.loads((tmp_path / "f.json").read_text())
    assert fit["features"] == features
    for name in features:
        assert visible(name, 80)[:12] in shown
    assert {path.name for path in out.iterdir()} == {"model.json", "experts.png", "experts.pdf"}
    model = package.load_model(out / "model.json")
    if not regression:
        assert set(fit["classes"]) == set(model.classes_) == set(labels)


@pytest.mark.parametrize("name", NAMES)
def test_errors_name_the_column_in_one_line(emmd, tmp_path, name):
    rng = np.random.default_rng(0)
    path = write_table(tmp_path / "t.csv", rng, [name, "the target"], [[1, "x"], [2, 3]])
    words = ["--target", "the target", "--experts", 2, "--family", "gaussian"]
    code, out, err = emmd("fit", path, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err[:-1].isprintable()
    assert "must be a number, got 'x'" in err
    assert len(err) < 1100
