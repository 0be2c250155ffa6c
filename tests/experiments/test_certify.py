"""`emmd certify`, `emmd verify --certify` and `emmd population --prove` from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EMMD = Path(sys.executable).with_name("emmd")
DESIGN = ["--model", "symmoline", "--n", 200, "--d", 2, "--snr-expert", 2, "--snr-gate", 1, "--cosine", 0.3]


def run(*words):
    return subprocess.run([EMMD, *map(str, words)], capture_output=True, text=True)


def test_a_certificate_is_made_saved_and_checked(tmp_path):
    file = tmp_path / "certificate.json"
    made = run("certify", *DESIGN, "--save", file, "--json", "-")
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    assert found["certified"]
    assert found["rate"][1] - found["rate"][0] < 1e-11
    checked = run("certify", *DESIGN, "--check", file)
    assert checked.returncode == 0
    assert "Theorem" in checked.stdout
    other = run("certify", *DESIGN, "--seed", 1, "--check", file)
    assert other.returncode == 1
    assert "refused" in other.stdout


def test_without_a_certificate_the_reason_is_printed():
    made = run("certify", *DESIGN, "--max-steps", 1, "--share", "1e-6")
    assert made.returncode == 0
    assert "Not certified" in made.stdout
    assert "fails" in made.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--data FILE.csv --target COL must be given"),
        (["--data", "x.csv"], "--data and --target must be given together"),
        (["--model", "symmoline"], "--n must be given with --model"),
        (["--data", "x.csv", "--target", "y", "--n", 3], "--n must not be given with --data"),
    ],
)
def test_bad_input_is_one_sentence(words, says):
    ran = run("certify", *words)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_bound_is_proved_or_refuted():
    words = [
        "population",
        "--model",
        "symmoline",
        "--snr-expert",
        2,
        "--snr-gate",
        0,
        "--cosine",
        1,
        "--d",
        3,
    ]
    words += ["--prove"]
    words += ["--expert-range", 1, 4, "--gate-range", 0, 0, "--json", "-", "--bound"]
    proved = run(*words, "1/sqrt(1+snr_e**2)")
    assert proved.returncode == 0, proved.stderr
    assert json.loads(proved.stdout)["proof"]["proved"]
    refuted = run(*words, "0.7/snr_e")
    assert refuted.returncode == 1
    assert json.loads(refuted.stdout)["proof"]["refuted"]["snr_gate"] == 0.0
    assert run(*words[:-1]).returncode == 2
