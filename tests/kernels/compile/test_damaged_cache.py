"""A file of compiled code that is not as it was written is never run, nor is one that cannot be rebuilt."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]

BEGIN = """
import numpy as np
from numba.core.registry import cpu_target
from emmd.kernels.maths import cholesky
from emmd.kernels.compile import disk_cache, internals
from emmd.kernels.compile.internals import Kernel
from tests.generators.damage import damages

def factor(kernel=cholesky.cholesky):
    L = np.zeros((2, 2))
    kernel(np.eye(2), L)
    return L

assert np.array_equal(factor(), np.eye(2))
files = {}
for path in disk_cache.cache_folder().rglob("*.nbc"):
    form = cholesky.cholesky.whole if "cholesky.cholesky-" in path.name else cholesky._factor.part
    files[path] = form._cache, form.signatures[0]
assert len(files) == 2
"""

DAMAGED = """
tried = 0
for path, (cache, signature) in files.items():
    whole = path.read_bytes()
    for damaged in damages(whole, np.random.default_rng(0), 40):
        path.write_bytes(damaged)
        found = cache.load_overload(signature, cpu_target.target_context)
        assert found is None or damaged == whole, path
        tried += damaged != whole
    path.write_bytes(whole)
    assert cache.load_overload(signature, cpu_target.target_context) is not None
print(tried)
"""

REBUILT = """
def fails(*arguments):
    raise ImportError("a library has changed")

internals._WholeImpl.rebuild = internals._PartImpl.rebuild = fails
again = Kernel(cholesky.cholesky.function, cholesky.cholesky._options, cholesky.cholesky._compiler)
print(np.array_equal(factor(again), np.eye(2)))
"""

GONE = """
folder = disk_cache.cache_folder()
for path in folder.rglob("*.nbc"):
    path.unlink()
for path in folder.iterdir():
    path.rmdir()
folder.rmdir()
folder.write_text("no folder")
x = np.ones(2)
cholesky.cholesky_solve(np.eye(2), x)
print(*x)
"""


def run(python, folder, script):
    environment = {**os.environ, "EMMD_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"}
    command = [python, "-c", BEGIN + script]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_damage_is_seen_before_anything_is_run(python, tmp_path):
    (tried,) = run(python, tmp_path, DAMAGED)
    assert int(tried) > 300


def test_what_cannot_be_rebuilt_is_compiled_again(python, tmp_path):
    assert run(python, tmp_path, REBUILT) == ["True"]


def test_a_folder_that_has_gone_costs_no_result(python, tmp_path):
    assert run(python, tmp_path, GONE) == ["1.0", "1.0"]
