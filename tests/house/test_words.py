"""One vocabulary: words that name nothing are not used, and no two functions or modules share a name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ["emmd/kernels", "emmd/rows", "emmd/fits", "emmd/models/symmetric", "emmd/models/mixture/fused"]
FORBIDDEN = re.compile(
    r"(^|_)(foretell|foretold|ahead|spare|pieces|slabs?|looks?|tells)(_|$)"
    r"|^moved$|last_block|at_once|^_?em_pass$|em_sums|e_step_sums|pass_over|after_pass|in_passes"
)
ONE_MEANING = {"newton", "cholesky", "begin", "symmetric_linear", "em_step_rows"}
NUMBERS = {"moved": {"relative_change", "relative_change_of_parts", "_product", "product"}}
"""Where a word names a moved point, not a flag."""


def sources(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def names(tree):
    """Yield the names of functions, arguments and variables, and the function that each is in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.name
            yield from ((argument.arg, node.name) for argument in node.args.args)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    yield inner.id, node.name


def forbidden(tree):
    return sorted(
        {f"{f}: {n}" for n, f in names(tree) if FORBIDDEN.search(n) and f not in NUMBERS.get(n, ())}
    )


@pytest.mark.parametrize("path", sources(*FOLDERS), ids=lambda path: str(path.relative_to(ROOT)))
def test_words_are_those_of_the_field(path):
    assert forbidden(ast.parse(path.read_text())) == []


def test_a_word_that_names_nothing_is_found():
    assert forbidden(ast.parse("def em_at_once(spare):\n    moved = 1")) == [
        "em_at_once: em_at_once",
        "em_at_once: moved",
        "em_at_once: spare",
    ]


def test_one_name_has_one_meaning():
    found = {name: set() for name in ONE_MEANING}
    for path in sources("emmd", "theory"):
        own = {path.stem} | {
            node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
        }
        for name in own & ONE_MEANING:
            found[name].add(str(path.relative_to(ROOT)))
    # a module may hold the one function of its name
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
