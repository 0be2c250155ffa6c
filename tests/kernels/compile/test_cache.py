"""Compiled kernels on disk: one line at the first start, and safe when several processes start at once."""

import importlib
import os
import pkgutil
import shutil
import subprocess
from pathlib import Path

import emmd
from emmd import kernels
from emmd.kernels.compile.internals import Kernel

# two kernels, one of them in two signatures; prints the bits and how many of the three came from disk
SCRIPT = """
import numpy as np
from emmd.kernels.maths.cholesky import cholesky_solve
from emmd.kernels.rows.reduce import add_up
rows, x = np.arange(1.0, 7.0).reshape(3, 2), np.ones(2)
cholesky_solve(np.tril(rows[:2]), x)
same = np.asfortranarray(rows)
for sums in (rows, same):
    add_up(sums)
print(*(a.tobytes().hex() for a in (rows[0], same[0], x)))
print(sum(sum(f.whole.stats.cache_hits.values()) for f in (add_up, cholesky_solve)))
"""


def start(python, folder, script=SCRIPT, **environment):
    environment |= {"EMMD_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"}
    return subprocess.Popen(
        [python, "-c", script],
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process):
    out, said = process.communicate(timeout=900)
    assert process.returncode == 0, said
    bits, from_disk = out.splitlines()
    return bits, int(from_disk), said


def test_first_starts_at_once_leave_a_good_cache(python, tmp_path):
    together = [finish(process) for process in [start(python, tmp_path) for _ in range(3)]]
    bits, from_disk, said = finish(start(python, tmp_path))
    assert {each[0] for each in together} == {bits}
    assert from_disk == 3
    assert said == ""


def test_kernels_lie_apart_from_those_of_the_user(python, tmp_path):
    ours, users = tmp_path / "ours", tmp_path / "users"
    finish(start(python, ours, NUMBA_CACHE_DIR=str(users)))
    assert len(list(ours.rglob("*.nbc"))) == 3
    assert not users.exists()


def test_the_first_start_says_what_it_does_once(python, tmp_path):
    _, from_disk, said = finish(start(python, tmp_path))
    assert from_disk == 0
    assert said.count("compiling the kernels") == 1
    assert said.count("\n") == 1


def test_a_damaged_file_is_compiled_again(python, tmp_path):
    bits = finish(start(python, tmp_path))[0]
    cut, flipped, _ = stored = list(tmp_path.rglob("*.nbc"))
    assert len(stored) == 3
    cut.write_bytes(cut.read_bytes()[:100])
    code = bytearray(flipped.read_bytes())
    code[len(code) // 2] ^= 1
    flipped.write_bytes(code)
    again, from_disk, _ = finish(start(python, tmp_path))
    assert (again, from_disk) == (bits, 1)
    assert finish(start(python, tmp_path))[:2] == (bits, 3)


def test_a_copy_of_the_sources_finds_what_is_compiled(python, tmp_path):
    """Another clone, or another environment: its files lie elsewhere and were written at another time."""
    folder, clone = tmp_path / "cache", tmp_path / "clone"
    bits, from_disk, _ = finish(start(python, folder))
    assert from_disk == 0
    shutil.copytree(Path(emmd.__file__).parent, clone / "emmd", copy_function=shutil.copyfile)
    place = f"import sys; sys.path.insert(0, {str(clone)!r}); import emmd; assert 'clone' in emmd.__file__"
    assert finish(start(python, folder, place + SCRIPT)) == (bits, 3, "")
    # one changed character is another program
    leaf = clone / "emmd" / "kernels" / "maths" / "cholesky.py"
    leaf.write_text(leaf.read_text() + "#")
    assert finish(start(python, folder, place + SCRIPT))[1] == 0


SHARES = """
import numpy as np
from emmd.kernels.compile.jit import in_shares
from emmd.kernels.linear.predictors import gram_rows, moment_rows
XB, v, edges = np.random.default_rng(0).standard_normal((40, 3, 256)), np.ones(10_000), np.array([0, 1, 3])
hits = 0
for kernel, width in ((moment_rows, 3), (gram_rows, 6)):
    alone, shared = np.zeros((2, 3, width))
    kernel(0, 3, alone, XB, v)
    in_shares(kernel)(edges, shared, XB, v)
    assert np.array_equal(alone, shared), kernel
    hits += sum(in_shares(kernel).whole.stats.cache_hits.values())
print("same")
print(hits)
"""


def test_shares_of_two_kernels_come_from_disk_and_are_not_mixed_up(python, tmp_path):
    """Both have the same signature, so only the name tells their code apart."""
    hits = [finish(start(python, tmp_path, SHARES))[1] for _ in range(2)]
    assert hits == [0, 2]


PARTS = """
import numpy as np
from emmd.kernels.maths.elementary import exp_nonpositive
from emmd.kernels.solvers.logistic import logistic_rows
from emmd.kernels.solvers.multinomial import softmax_rows
XB, c, r = np.random.default_rng(0).standard_normal((4, 3, 256)), np.ones(1000), np.full((2, 1000), 0.5)
of = {"logistic": (logistic_rows, (np.ones((1, 3)), r[:1], c, np.array([2]))),
      "softmax": (softmax_rows, (np.ones((1, 3)), r, c))}
kernel, arguments = of[NAME]
sums = np.zeros((1, 10))
kernel(0, 1, sums, XB, *arguments)
print(sums.tobytes().hex())
print(sum(exp_nonpositive.part.stats.cache_hits.values()))
"""


def test_parts_come_from_disk_for_another_kernel(python, tmp_path):
    """What a second kernel is made of was compiled for the first one: the bits are those of a fresh start."""
    first, hits, _ = finish(start(python, tmp_path / "both", "NAME = 'logistic'" + PARTS))
    assert hits == 0
    second, hits, _ = finish(start(python, tmp_path / "both", "NAME = 'softmax'" + PARTS))
    assert hits == 1
    fresh, hits, _ = finish(start(python, tmp_path / "fresh", "NAME = 'softmax'" + PARTS))
    assert hits == 0
    assert second == fresh != first


def test_no_two_kernels_have_one_name():
    """The disk cache tells kernels that one function has made apart by their names alone."""
    walk = pkgutil.walk_packages(kernels.__path__, "emmd.kernels.")
    modules = [importlib.import_module(module.name) for module in walk]
    made = {each for module in modules for each in vars(module).values() if isinstance(each, Kernel)}
    names = [(each.function.__module__, each.function.__qualname__) for each in made]
    assert names
    assert len(names) == len(set(names))


RUNS = """
import numpy as np
import numba.core.event as event
from numba.core.registry import cpu_target
class Listener(event.Listener):
    compiled = 0
    def on_start(self, event):
        self.compiled += 1
    def on_end(self, event):
        pass
listener = Listener()
import emmd
from emmd.kernels.rows.reduce import PARALLEL_ROWS
models = [emmd.SymMoLinE(2), emmd.SymMoLogE(2), emmd.MixtureOfExperts(2, 2), emmd.MixtureOfExperts(2, 3)]
models += [emmd.MixtureOfExperts(2, 3, "poisson")]
with event.install_listener("numba:compile", listener):
    for model in models:
        for n in (100, PARALLEL_ROWS):
            theta = np.linspace(-1.0, 1.0, model.n_params)
            X, y, _ = model.sample(theta, n, 0)
            emmd.minimize(emmd.Problem(model, X, y), theta, max_iter=4)
print(len(cpu_target.typing_context._registries))
print(listener.compiled)
"""


def test_a_second_process_compiles_nothing(python):
    """And it readies no compiler, which would take a fifth of a second."""
    folder = os.environ.get("EMMD_CACHE_DIR", "")
    finish(start(python, folder, RUNS))
    readied, compiled, _ = finish(start(python, folder, RUNS))
    assert (readied, compiled) == ("0", 0)
