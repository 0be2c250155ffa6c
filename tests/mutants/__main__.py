"""Break the code in many places drawn by rule, and count what `emmd verify`, and then the tests near, catch.

Run as ``python -m tests.mutants [count] [seed]``; prints a line for each mutant, then the shares. What
survives is told apart: some mutants change no number that is compared. Of `emmd verify` and of the tests,
those parts alone are run that call the broken function.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.mutants.calls import function_around, reaching
from tests.mutants.rules import constants, places

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

_JUDGE = [sys.executable, "-m", "tests.mutants.judge"]
_PYTEST = [sys.executable, "-m", "pytest", "-q", "-m", "not soak and not browser"]
"""Without hundreds of random cases: each would be run again for every mutant that has come so far."""

_PATIENCE, _AT_LEAST = 5.0, 120.0
"""Times as long as the unbroken code took, and seconds beside that: so loops without an end are caught."""


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
            path,
            f"{name} = {value}",
            0,
            constants((ROOT / path).read_text(), name, value),
            "tests/theory/claims",
        )
        for path, name, value in SWITCHES
    ]
    for group in GROUPS:
        texts = {path: path.read_text() for path in _files(group.places)}
        every = [
            (path, place) for path in texts for place in places(texts[path], budgets=group.name == "claims")
        ]
        size = min(len(every), round(group.share * (count - len(SWITCHES))))
        for path, place in (every[k] for k in rng.choice(len(every), size, replace=False)):
            source = place.broken(texts[path])
            chosen.append(Mutant(str(path.relative_to(ROOT)), place.name, place.line, source, group.near))
    return chosen


def _files(patterns):
    for pattern in patterns:
        place = ROOT / pattern
        found = place.rglob("*.py") if place.is_dir() else ROOT.glob(pattern)
        yield from sorted(path for path in found if path.name != "__init__.py")


@dataclass(frozen=True)
class Baseline:
    """What the unbroken code does.

    Attributes
    ----------
    digests, budgets : frozenset of str
        Of both sides of all records, and of their error budgets.
    parts : dict
        What each part of `emmd verify` calls, see `recorded`, and its seconds: ``calls`` and ``times``.
    tests : dict
        The same of each test that passes, by the place of the tests.
    """

    digests: frozenset
    budgets: frozenset
    parts: dict
    tests: dict


def measured(pool) -> Baseline:
    """Run the unbroken code, and record what its parts and the tests call."""
    places = sorted({group.near for group in GROUPS})
    tests = [pool.submit(_calls_of_tests, place) for place in places]
    with _copied() as (folder, settings):
        answer = Path(folder, "answer.json")
        code, said = _run([*_JUDGE, str(answer)], folder, settings, None)
        if code != 0:
            raise SystemExit(f"the unbroken code does not pass: {said}")
        seen = json.loads(answer.read_text())
    found = {place: future.result() for place, future in zip(places, tests)}
    digests, budgets = frozenset(seen.pop("digests")), frozenset(seen.pop("budgets"))
    return Baseline(digests, budgets, seen, found)


def _calls_of_tests(place):
    with _copied() as (folder, settings):
        answer = Path(folder, "calls.json")
        command = [*_PYTEST, "-p", "tests.mutants.seen", place]
        _run(command, folder, settings | {"EMMD_CALLS": str(answer)}, None)
        return json.loads(answer.read_text())


def _patience(seen, names):
    return _AT_LEAST + _PATIENCE * sum(seen["times"][name] for name in names)


def tried(mutant, baseline):
    """Return (what caught it or "survived", what was said)."""
    with _copied(mutant) as (folder, settings):
        parts = _reached(mutant, baseline.parts["calls"])
        answer, chosen = Path(folder, "answer.json"), Path(folder, "parts.json")
        chosen.write_text(json.dumps(parts))
        command = [*_JUDGE, str(answer), mutant.path, str(chosen)]
        code, said = _run(command, folder, settings, _patience(baseline.parts, parts))
        if code != 0:
            return "verify", said
        near = baseline.tests[mutant.near]
        tests = _reached(mutant, near["calls"])
        Path(folder, "tests.txt").write_text("\n".join(tests))
        if tests:
            code, said = _run([*_PYTEST, "-x", "@tests.txt"], folder, settings, _patience(near, tests))
            if code != 0:
                return "tests", said
        seen = json.loads(answer.read_text())
        changed = set(seen["digests"]) - baseline.digests, set(seen["budgets"]) - baseline.budgets
        effects = "changes numbers", "changes error budgets alone", "changes no number that is compared"
        effect = effects[0] if changed[0] else effects[1] if changed[1] else effects[2]
        return "survived", f"{effect}; reached by {len(parts)} parts and {len(tests)} tests"


def _reached(mutant, calls):
    """Return what calls the function that is broken: all, where compiled code may call it."""
    if not mutant.line or mutant.path.startswith("emmd/kernels"):
        return list(calls)
    lines = function_around((ROOT / mutant.path).read_text(), mutant.line)
    return reaching(calls, mutant.path, lines)


@contextmanager
def _copied(mutant=None):
    """Yield a folder with a copy of the code, broken if need be, and the environment to run it in."""
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, Path(folder, package), ignore=without)
        # theory and experiments are installed inside the package
        for inside in ("theory", "experiments"):
            Path(folder, "emmd", inside).symlink_to(Path(folder, inside))
        shutil.copy(ROOT / "pyproject.toml", folder)
        settings = os.environ | {"PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1"}
        if mutant is not None:
            Path(folder, mutant.path).write_text(mutant.source)
            if mutant.path.startswith("emmd/kernels"):
                settings["EMMD_CACHE_DIR"] = str(Path(folder, "cache"))
        yield folder, settings


def _run(command, folder, settings, patience):
    try:
        done = subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, timeout=patience
        )
    except subprocess.TimeoutExpired:
        return -1, "took too long"
    lines = (done.stderr + done.stdout).strip().splitlines()
    return done.returncode, lines[-1][:150] if lines else ""


def main():
    """Try all mutants on the machine's cores and print what became of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    chosen = drawn(count, seed)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        baseline, results = measured(pool), []
        outcomes = pool.map(lambda mutant: tried(mutant, baseline), chosen)
        for mutant, (caught, said) in zip(chosen, outcomes):
            results.append(caught)
            print(f"{caught:9} {mutant.path}:{mutant.line} {mutant.rule}: {said}", flush=True)
    for what in ("verify", "tests", "survived"):
        print(f"{results.count(what)} of {len(results)} mutants: {what}")


if __name__ == "__main__":
    main()
