"""Sweeps over a model file of the user's: the measures work unchanged, an edit makes other runs."""

import pytest

from emmd import load_runs
from emmd.experiments.snr.config.read import parse
from emmd.experiments.snr.plan.plan import make_plan
from emmd.experiments.snr.run.sweep import Options, run_sweep

MODEL = """
import numpy as np
import emmd

model = emmd.LatentModel(
    1,
    lambda theta, x: -np.exp(theta),
    lambda eta: -np.log(-eta[0]),
    lambda eta, y: eta[0] * y[0] - (1.0 - y[1]) * np.log(-eta[0]),
    sample_y=lambda theta, n, rng: _censored(rng.exponential(np.exp(-theta[0]), n)),
)
theta0 = [0.3]


def _censored(times):
    return np.column_stack([np.minimum(times, 1.0), times < 1.0])
"""
CONFIG = """
name = "mine"
repetitions = 2
measures = ["predicted_rate", "contraction", "observed_rate"]
[[problems]]
source = "file"
file = "mine.py"
n = [50, 100]
[[starts]]
kind = "truth"
[[starts]]
kind = "random"
[[algorithms]]
method = "em"
[[algorithms]]
method = "squarem"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MODEL)
    return tmp_path


def test_a_sweep_over_a_model_file(folder):
    run_sweep(CONFIG, folder / "runs.sqlite", Options(jobs=1))
    runs = load_runs(folder / "runs.sqlite")
    assert len(runs) == 16
    assert set(runs["status"]) == {"converged"}
    assert set(runs["model"]) == {"mine"}
    em = runs[runs["algorithm"] == "EM"]
    assert (em["contraction"] - em["predicted_rate"]).abs().max() < 1e-8
    # each repetition draws its own data, shared by its starts
    assert em.groupby("n")["predicted_rate"].nunique().tolist() == [2, 2]
    assert (runs["error"] < 1e-6).all()


def test_an_edit_of_the_file_makes_other_runs(folder):
    before = {run.key for run in make_plan(parse(CONFIG)).runs}
    (folder / "mine.py").write_text(MODEL + "# edited\n")
    assert before.isdisjoint(run.key for run in make_plan(parse(CONFIG)).runs)


def test_a_missing_file_is_named(folder):
    with pytest.raises(ValueError, match=r"file must be a Python file, got 'other\.py'"):
        parse(CONFIG.replace("mine.py", "other.py"))
