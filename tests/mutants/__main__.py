"""Break the code in many places drawn by rule, and count what `emmd verify`, and then the tests near, catch.

Run as ``python -m tests.mutants [count] [seed]``; prints a line for each mutant, then the shares.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.mutants.rules import constants, mutants

ROOT = Path(__file__).parents[2]
PACKAGES = ("emmd", "theory", "experiments", "tests")


@dataclass(frozen=True)
class Group:
    """A part of the code, the share of mutants that it gets, and the tests near it."""

    name: str
    share: float
    near: str
    places: tuple


GROUPS = (
    Group(
        "models",
        0.3,
        "tests/models",
        ("emmd/models", "emmd/core/protocols/family.py", "emmd/core/protocols/model.py"),
    ),
    Group("algorithms", 0.1, "tests/core/loop", ("emmd/algorithms", "emmd/core/loop/acceleration.py")),
    Group("population", 0.15, "tests/theory/population", ("theory/population/spectrum",)),
    Group("claims", 0.25, "tests/theory/claims", ("theory/claims",)),
    Group("numerics", 0.1, "tests/theory/numeric", ("theory/numeric", "theory/models")),
    Group("kernels", 0.1, "tests/kernels", ("emmd/kernels/em", "emmd/kernels/solvers")),
)

SWITCHES = [
    ("theory/assumptions.py", name, value)
    for name in ("regular_design", "strict_minimum", "linear_model_set", "curved_model_set", "no_prior")
    for value in ("''", "'no'")
] + [("emmd/models/symmetric/logistic.py", "equivalents", "__import__('numpy').array([theta, -theta])")]

_SECONDS = 300


@dataclass(frozen=True)
class Mutant:
    """A file that was broken in one place."""

    path: str
    rule: str
    line: int
    source: str
    near: str


def drawn(count, seed):
    """Return `count` mutants, a fixed share of each group, and all switches."""
    rng = np.random.default_rng(seed)
    chosen = [
        Mutant(
            path, f"{name} = {value}", 0, constants((ROOT / path).read_text(), name, value), "tests/theory"
        )
        for path, name, value in SWITCHES
    ]
    for group in GROUPS:
        every = [
            Mutant(str(path.relative_to(ROOT)), rule, line, source, group.near)
            for path in _files(group.places)
            for rule, line, source in mutants(path.read_text(), budgets=group.name == "claims")
        ]
        size = min(len(every), round(group.share * (count - len(SWITCHES))))
        chosen += [every[k] for k in rng.choice(len(every), size, replace=False)]
    return chosen


def _files(patterns):
    for pattern in patterns:
        place = ROOT / pattern
        found = place.rglob("*.py") if place.is_dir() else ROOT.glob(pattern)
        yield from sorted(path for path in found if path.name != "__init__.py")


def tried(mutant):
    """Return (what caught it or "survived", what was said)."""
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, Path(folder, package), ignore=without)
        # theory and experiments are installed inside the package
        for inside in ("theory", "experiments"):
            Path(folder, "emmd", inside).symlink_to(Path(folder, inside))
        shutil.copy(ROOT / "pyproject.toml", folder)
        Path(folder, mutant.path).write_text(mutant.source)
        settings = os.environ | {"PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        if mutant.path.startswith("emmd/kernels"):
            settings["EMMD_CACHE_DIR"] = str(Path(folder, "cache"))
        code, said = _run([sys.executable, "-m", "tests.mutants.judge", mutant.path], folder, settings)
        if code != 0:
            return "verify", said
        code, tests = _run([sys.executable, "-m", "pytest", "-q", "-x", mutant.near], folder, settings)
        return ("tests", tests) if code != 0 else ("survived", said)


def _run(command, folder, settings):
    try:
        done = subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return -1, "took too long"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, lines[-1][:150] if lines else ""


def main():
    """Try all mutants on the machine's cores and print what became of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    chosen = drawn(count, seed)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = []
        for mutant, (caught, said) in zip(chosen, pool.map(tried, chosen)):
            results.append(caught)
            print(f"{caught:9} {mutant.path}:{mutant.line} {mutant.rule}: {said}", flush=True)
    for what in ("verify", "tests", "survived"):
        print(f"{results.count(what)} of {len(results)} mutants: {what}")


if __name__ == "__main__":
    main()
