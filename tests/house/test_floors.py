"""Imports go down only, and plug-ins never import each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS = [
    "emmd.kernels",
    "emmd.rows",
    "emmd.fits",
    "emmd.core",
    "emmd.models emmd.algorithms emmd.data emmd.partitions",
    "emmd",
    "emmd.theory",
    "emmd.experiments",
    "emmd.__main__",
]
PLUGINS = [
    "emmd.models.experts",
    "emmd.models.gates",
    "emmd.algorithms",
    "emmd.data",
    "emmd.theory.claims",
    "emmd.theory.symbolic.proofs",
]


def modules():
    for top in ("emmd", "theory", "experiments"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            inside = () if top == "emmd" else ("emmd",)
            yield ".".join(inside + (parts[:-1] if parts[-1] == "__init__" else parts)), path


def floor(name):
    best = None
    for level, group in enumerate(FLOORS):
        for prefix in group.split():
            if (name == prefix or name.startswith(prefix + ".")) and (best is None or len(prefix) > best[1]):
                best = (level, len(prefix), prefix)
    return best


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def breaches(name, path):
    known = {module for module, _ in modules()}
    mine = floor(name)
    for target in imports(path):
        if target not in known or target == name:
            continue
        theirs = floor(target)
        if theirs[0] > mine[0]:
            yield f"{name} imports {target}, which is on a higher floor"
        if theirs[0] == mine[0] and theirs[2] != mine[2]:
            yield f"{name} imports {target} beside it"
        for folder in PLUGINS:
            inside = name.startswith(folder + ".") and target.startswith(folder + ".")
            if inside:
                yield f"{name} imports its sibling {target}"


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_imports_go_down(name, path):
    if name == "emmd":
        pytest.skip("the public face names everything")
    assert list(breaches(name, path)) == []


def test_a_breach_is_seen(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("from emmd.core.problem import Problem\nfrom emmd.theory.lab import Lab\n")
    found = list(breaches("emmd.kernels.bad", bad))
    assert any("emmd.core.problem" in line for line in found)
    assert any("emmd.theory.lab" in line for line in found)
    sibling = tmp_path / "sibling.py"
    sibling.write_text("from emmd.algorithms.em import EM\n")
    assert list(breaches("emmd.algorithms.bad", sibling))
