"""The public names of emmd: listed once for people, once for the import and once for type checkers."""

import ast
import subprocess
from pathlib import Path

import pytest

import emmd

SOURCE = Path(emmd.__file__)


def test_a_type_checker_sees_what_is_imported_when_asked_for():
    imports = [node for node in ast.walk(ast.parse(SOURCE.read_text())) if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert {name: seen.get(name) for name in emmd._HOME} == emmd._HOME
    assert set(emmd.__all__) == {*emmd._HOME, "__version__"}
    assert set(emmd.__all__) <= set(dir(emmd))


@pytest.mark.parametrize("name", emmd.__all__)
def test_every_public_name_answers(name):
    value = getattr(emmd, name)
    assert getattr(value, "__name__", name) == name
    assert getattr(emmd, name) is value


def test_folders_answer_and_other_names_do_not():
    assert emmd.theory.verify is not None
    for name in ("minimise", "_private", "__wrapped__"):
        with pytest.raises(AttributeError, match=f"module 'emmd' has no attribute '{name}'"):
            getattr(emmd, name)


def test_importing_emmd_loads_nothing_heavy(python):
    script = "import emmd, sys; print([name for name in ('numba', 'numpy', 'scipy') if name in sys.modules])"
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
