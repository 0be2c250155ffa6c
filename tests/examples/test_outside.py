"""A claim, a family and an algorithm in a temporary folder are used without an edit anywhere else."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

SCRIPT = """
import numpy as np, emmd
from emmd import theory
model = emmd.MixtureOfExperts(2, 2, family="binomial", trials=4)
truth = model.pack([[2.0, 0.5], [-2.0, 0.0]], [[1.5, 0.3]])
X = np.column_stack([np.random.default_rng(0).standard_normal(400), np.ones(400)])
problem = emmd.Problem(model, X, model.sample_y(truth, X, 1))
run = emmd.minimize(problem, truth, "damped_em", damping=0.7)
assert run.success, run.message
[record] = theory.verify(problem, truth, ["Z1"])
assert record.claim == "Z1-gain" and record.verdict == "holds", record
assert "Z1-gain" in {record.claim for record in theory.verify(problem, truth)}
fit = emmd.MixtureOfExpertsRegressor(family="binomial", n_init=1, random_state=0).fit(X[:, :1], problem.y)
assert fit.n_iter_ > 0
"""

MODEL_FILE = """
import emmd
from family import Binomial

model = emmd.MixtureOfExperts(2, 2, family=Binomial(3))
theta0 = model.pack([[2.0, 0.5], [-2.0, 0.0]], [[1.5, 0.3]])
"""


@pytest.fixture
def folder(tmp_path):
    """The three examples, as the user's own files."""
    for name in ("claim", "family", "algorithm"):
        shutil.copy(EXAMPLES / f"{name}.py", tmp_path / f"{name}.py")
    return tmp_path


def run(python, words, where, **environment):
    return subprocess.run(
        [python, *map(str, words)],
        cwd=where,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_files_beside_a_script(python, folder):
    text = SCRIPT.replace('family="binomial", trials=4', "family=Binomial(4)").replace(
        'family="binomial"', "family=Binomial(4)"
    )
    text = text.replace('"damped_em", damping=0.7', "DampedEM(0.7)").replace('["Z1"]', "[CLAIM]")
    text = "\n".join(line for line in text.splitlines() if "theory.verify(problem, truth)}" not in line)
    imports = "from claim import CLAIM\nfrom family import Binomial\nfrom algorithm import DampedEM\n"
    (folder / "script.py").write_text(imports + text)
    ended = run(python, ["script.py"], folder)
    assert ended.returncode == 0, ended.stderr


def test_an_installed_package(python, folder):
    info = folder / "binomials-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: binomials\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[emmd.claims]\nmine = claim\n"
        "[emmd.families]\nbinomial = family:Binomial\n"
        "[emmd.algorithms]\ndamped_em = algorithm:DampedEM\n"
    )
    ended = run(python, ["-c", SCRIPT], "/", PYTHONPATH=str(folder))
    assert ended.returncode == 0, ended.stderr
    words = ["-m", "emmd", "verify", "--model", "symmoline", "--claim", "Z1", "--json", "-"]
    ended = run(python, words, "/", PYTHONPATH=str(folder))
    assert ended.returncode == 0, ended.stderr
    assert {record["claim"] for record in json.loads(ended.stdout)} == {"Z1-gain"}


def test_a_model_of_an_installed_package_is_checked_by_its_name(python, folder):
    text = "import emmd\nclass Mine(emmd.SymMoLinE):\n    name = 'mine'\n"
    (folder / "mine.py").write_text(text)
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[emmd.models]\nmine = mine:Mine\n")
    rows = "\n".join(f"{k % 7},{(k * k) % 11},{(-1) ** k * (k % 7) + k % 3}" for k in range(60))
    (folder / "table.csv").write_text(f"u,v,y\n{rows}\n")
    for more in ((), ("--data", "table.csv", "--target", "y")):
        words = ["-m", "emmd", "verify", "--model", "mine", "--claim", "E1", "--json", "-", *more]
        ended = run(python, words, folder, PYTHONPATH=str(folder))
        assert ended.returncode == 0, ended.stderr
        [record] = json.loads(ended.stdout)
        assert (record["model"], record["verdict"]) == ("mine", "holds")


def test_the_command_line_takes_a_claim_and_a_model_from_files(python, folder):
    (folder / "model.py").write_text(MODEL_FILE)
    words = ["-m", "emmd", "verify", "--claims", "claim.py", "--claim", "E1", "--model-file", "model.py"]
    ended = run(python, [*words, "--json", "-"], folder)
    assert ended.returncode == 0, ended.stderr
    records = {record["claim"]: record for record in json.loads(ended.stdout)}
    assert set(records) == {"Z1-gain", "E1-fisher-identity"}
    for record in records.values():
        assert record["verdict"] == "holds"
        assert record["problem"] == "model.py"
        assert record["sabotages"][0]["verdict"] == "violated"
    # the command that a record names says the same
    _, *again = records["Z1-gain"]["reproduce"].split()
    ended = run(python, ["-m", "emmd", *again, "--json", "-"], folder)
    assert json.loads(ended.stdout) == [records["Z1-gain"]]
