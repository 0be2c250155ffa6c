"""The file of a certificate: proved again by another process, and refused after any change."""

import contextlib
import json
import os
import subprocess

import numpy as np
import pytest

from emmd import theory
from tests.theory.certificates.attack import broken

SOAK = bool(os.environ.get("EMMD_SOAK"))


@pytest.fixture(scope="module")
def saved(made, tmp_path_factory):
    problem, _, found = made["symmoline"]
    path = tmp_path_factory.mktemp("certificate") / "certificate.json"
    found.save(path)
    return problem, found, path


def test_a_file_holds_the_exact_numbers(saved):
    problem, found, path = saved
    loaded = theory.load_certificate(path)
    assert loaded.check(problem)
    assert loaded.statement() == found.statement()
    assert (loaded.rate, loaded.steps, loaded.proof) == (found.rate, found.steps, found.proof)
    np.testing.assert_array_equal(loaded.optimum, found.optimum)
    with pytest.raises(ValueError, match="problem must be given"):
        loaded.check()


def test_another_process_proves_it_from_data_alone(saved, tmp_path, python):
    problem, _, path = saved
    np.savez(tmp_path / "data.npz", X=problem.X, y=problem.y)
    script = (
        "import sys, numpy as np, emmd\n"
        "from emmd import theory\n"
        "data = np.load(sys.argv[1])\n"
        "problem = emmd.Problem(emmd.SymMoLinE(2), data['X'], data['y'])\n"
        "print(theory.load_certificate(sys.argv[2]).check(problem))"
    )
    words = [python, "-c", script, str(tmp_path / "data.npz"), str(path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "True"


def accepted(path, problem):
    try:
        return theory.load_certificate(path).check(problem)
    except ValueError:
        return False


def mutants(text, count, seed):
    """Yield texts with one character changed, every second time a digit."""
    rng = np.random.default_rng(seed)
    digits = [k for k, letter in enumerate(text) if letter.isdigit()]
    for trial in range(count):
        k = int(rng.choice(digits) if trial % 2 else rng.integers(len(text)))
        new = rng.choice([c for c in "0123456789.-e\n }" if c != text[k]])
        yield text[:k] + new + text[k + 1 :]


@pytest.mark.soak
def test_changed_files_are_refused(saved, tmp_path):
    problem, _, path = saved
    changed = tmp_path / "changed.json"
    for text in mutants(path.read_text(), 1000 if SOAK else 100, 0):
        changed.write_text(text)
        assert not accepted(changed, problem), text


def test_every_digit_matters(saved, tmp_path):
    """The text that stands for some numbers is unique: no digit can change and none is idle."""
    from emmd.theory.certificates import file

    _, _, path = saved
    text, changed = path.read_text(), tmp_path / "changed.json"
    for k in (k for k, letter in enumerate(text) if letter.isdigit()):
        changed.write_text(text[:k] + str((int(text[k]) + 1) % 10) + text[k + 1 :])
        with contextlib.suppress(ValueError):
            assert file.read(changed)[1], k


@pytest.mark.soak
def test_sealed_mutants_are_refused_or_true(saved, tmp_path):
    """With a seal that fits the proof decides: what it accepts has to stand an attack."""
    from emmd.theory.certificates import file

    problem, _, path = saved
    changed, accepted_at_all, count = tmp_path / "changed.json", 0, 1000 if SOAK else 15
    for text in mutants(path.read_text(), count, 1):
        changed.write_text(text)
        try:
            numbers, _ = file.read(changed)
        except ValueError:
            continue
        # a path of so many steps would be followed for hours
        if numbers["steps"] > 50:
            continue
        file.write(changed, numbers)
        loaded = theory.load_certificate(changed)
        if loaded.certified and loaded.check(problem):
            accepted_at_all += 1
            assert broken(problem, loaded, 10) == "", text
    assert accepted_at_all < count


def test_a_forged_seal_does_not_help(saved, tmp_path):
    """The seal is no proof: with one that fits, numbers that claim more are refused by the proof."""
    from emmd.theory.certificates import file

    problem, _, path = saved
    numbers, _ = file.read(path)
    forged = tmp_path / "forged.json"
    for name, value in (
        ("basin_level", 4.0 * numbers["basin_level"]),
        ("basin_rate", 0.99 * numbers["rate"][0]),
        ("rate", (0.0, numbers["rate"][0])),
        ("radius", 1.0),
        ("optimum", numbers["optimum"] * 1.001),
        ("digest", numbers["digest"][::-1]),
    ):
        file.write(forged, numbers | {name: value})
        assert theory.load_certificate(forged).certified
        assert not accepted(forged, problem), name


@pytest.mark.parametrize(
    "text",
    ["", "no", "[]", "{}", '{"format": "emmd certificate 1"}', "[" * 100_000, '{"format": 1}', "1e999"],
)
def test_foreign_files_are_one_sentence(tmp_path, text):
    path = tmp_path / "foreign.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="path must be a") as error:
        theory.load_certificate(path)
    assert len(str(error.value)) < 500


def certified_or_sentence(path):
    try:
        return theory.load_certificate(path).certified
    except ValueError as error:
        return "path must be" not in str(error)


def test_wrong_types_in_a_file_are_one_sentence(saved, tmp_path):
    _, _, path = saved
    whole = json.loads(path.read_text())
    bad = tmp_path / "bad.json"
    for name in whole:
        for value in (None, [], {"a": 1}, True, "x", [["x"]]):
            bad.write_text(json.dumps(whole | {name: value}))
            assert not certified_or_sentence(bad)
    with pytest.raises(ValueError, match="path must be a file that can be read"):
        theory.load_certificate(tmp_path / "missing.json")
    with pytest.raises(ValueError, match="path must be a file that can be written"):
        saved[1].save(tmp_path / "no" / "folder.json")
