"""The file of a certificate: proved again by another process, and refused after any change."""

import json
import subprocess

import numpy as np
import pytest

from emmd import theory
from tests.theory.certificates.test_certify import sampled


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    problem, start = sampled("symmoline", n=120, d=2)
    found = theory.certify(problem, start)
    assert found.certified, found.reason
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


def test_a_thousand_changed_files_are_refused(saved, tmp_path):
    problem, _, path = saved
    text, rng, changed = path.read_text(), np.random.default_rng(0), tmp_path / "changed.json"
    digits = [k for k, letter in enumerate(text) if letter.isdigit()]
    for trial in range(1000):
        k = int(rng.choice(digits) if trial % 2 else rng.integers(len(text)))
        new = rng.choice([c for c in "0123456789.-e\n }" if c != text[k]])
        changed.write_text(text[:k] + new + text[k + 1 :])
        assert not accepted(changed, problem), (trial, k, text[k], new)


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
