"""One name for one idea: words given up stay out, and a function's name means one thing."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

GIVEN_UP = {
    "foretell, foretold": "extrapolate",
    "ahead": "prefetch, following",
    "spare": "workspace",
    "last_block": "tail",
    "piece, pieces": "chunks, partitions, segments",
    "slab, slabs": "memory_map, chunks",
    "look, looks": "evaluate",
    "tell, tells": "returns",
    "at_once, in_passes": "em_step",
    "em_pass, em_sums, e_step_sums, pass_over": "e_step_pass",
    "after_pass": "m_step",
}
"""Words given up, as parts of any name, and what to say."""

MOVED = "what has changed, by its name"
"""Instead of `moved`, which is given up as a name by itself only."""

ONE_MEANING = ("newton", "cholesky", "begin", "symmetric_linear", "em_step_rows")
"""Names that two functions or modules have had."""

_WORDS = "|".join(word for words in GIVEN_UP for word in words.split(", "))
FORBIDDEN = re.compile(rf"(^|_)({_WORDS})(_|$)|^_?moved$", re.IGNORECASE)


@cache
def sources():
    """Return the paths and the syntax trees of all code; read once, as every name asks for them."""
    paths = [path for top in ("emmd", "theory", "experiments") for path in sorted((ROOT / top).rglob("*.py"))]
    return [(path, ast.parse(path.read_text())) for path in paths]


def identifiers(tree):
    """Yield the names that a file gives to functions, classes, arguments, variables and attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg | ast.keyword):
            yield node.arg or ""
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield from node.name.split(".")
            yield node.asname or ""


def given_up(stem, tree):
    """Return the names with a word given up: a file's own and those in it, constants and private ones too."""
    return sorted({name for name in (stem, *identifiers(tree)) if FORBIDDEN.search(name)})


def homes(name, files):
    """Return the files that are called by a name or define a function of it at their top level."""
    found = defaultdict(list)
    for path, tree in files:
        if path.stem.strip("_") == name:
            found["module"].append(path)
        if any(isinstance(node, ast.FunctionDef) and node.name.strip("_") == name for node in tree.body):
            found["function"].append(path)
    return found


def test_words_given_up_stay_out():
    found = {
        str(path.relative_to(ROOT)): words for path, tree in sources() if (words := given_up(path.stem, tree))
    }
    assert found == {}, (GIVEN_UP, MOVED)


@pytest.mark.parametrize("name", ONE_MEANING)
def test_a_name_means_one_thing(name):
    assert {kind: paths for kind, paths in homes(name, sources()).items() if len(paths) > 1} == {}


def test_words_given_up_are_seen():
    places = [
        "def look(): pass",
        "class Ahead: pass",
        "def f(spare_rows): pass",
        "f(tells=1)",
        "_moved = 1",
        "for pieces in (): pass",
        "data.em_step_at_once()",
        "from emmd.rows.memory_map import slabs",
        "import a.foretell as b",
        "import a as em_sums",
    ]
    assert all(given_up("fine", ast.parse(text)) for text in places)
    assert given_up("last_block", ast.parse("")) == ["last_block"]
    # words in sentences and in other words are nobody's business
    assert not given_up("removed", ast.parse("outlook = 'look ahead, as the spare wheel tells'"))


def test_two_meanings_are_seen():
    two = [(Path("a.py"), ast.parse("def newton(): pass")), (Path("b.py"), ast.parse("def _newton(): pass"))]
    assert homes("newton", two)["function"] == [Path("a.py"), Path("b.py")]
    assert homes("a", [*two, (Path("c/a.py"), ast.parse(""))])["module"] == [Path("a.py"), Path("c/a.py")]
