"""Small files and small functions; no names of nothing."""

import ast
import os
import statistics
import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]


def sources(*tops):
    for top in tops:
        yield from sorted((ROOT / top).rglob("*.py"))


def functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node) and len(node.body) > 1
            first = node.body[1 if docstring else 0]
            yield f"{path.relative_to(ROOT)}:{node.name}", node.end_lineno - first.lineno + 1


def test_functions_are_small():
    lengths = dict(pair for path in sources("emmd", "theory", "experiments") for pair in functions(path))
    assert statistics.median(lengths.values()) <= 10
    assert {name: n for name, n in lengths.items() if n > 80} == {}


def test_files_are_small():
    long = {
        str(path.relative_to(ROOT)): n
        for path in sources("emmd", "theory", "experiments", "tests")
        if (n := path.read_text().count("\n")) > 500
    }
    assert long == {}


def test_folders_are_small():
    """A dozen files, or one more; `__init__` names nothing of its own."""
    tops = ("emmd", "theory", "experiments", "tests", "examples")
    counts = Counter(path.parent.relative_to(ROOT) for path in sources(*tops) if path.stem != "__init__")
    assert {str(folder): n for folder, n in counts.items() if n > 13} == {}


def test_no_module_is_called_utils():
    assert [
        path for path in sources("emmd", "theory", "experiments") if path.stem in ("utils", "helpers", "misc")
    ] == []


def test_importing_emmd_makes_no_dispatcher_and_writes_nothing(python, tmp_path):
    script = (
        "import emmd, numba.core.dispatcher as d, gc;"
        "live = [o for o in gc.get_objects() if isinstance(o, d.Dispatcher)];"
        "print(len(live))"
    )
    places = {"EMMD_CACHE_DIR": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    environment = {**os.environ, **places, "NUMBA_DISABLE_JIT": "0"}
    ran = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert int(ran.stdout) == 0
    assert list(tmp_path.iterdir()) == []
