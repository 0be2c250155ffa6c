"""The rate of censored exponential times is the weighted share of censored rows, and what is said of it."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.experiments.commands.verify import Request, run


def test_the_rate_is_the_weighted_share(solve):
    known = solve("censored-exponential").problem
    weights = np.random.default_rng(0).uniform(0.5, 2.0, known.n_rows)
    problem = emmd.Problem(known.model, None, known.y, weights)
    [record] = theory.verify(problem, [0.3], ["N0"])
    share = float(problem.weights @ (known.y[:, 1] == 0.0))
    assert record.verdict == "holds"
    assert record.predicted == pytest.approx(share, rel=1e-14)
    assert abs(share - np.mean(known.y[:, 1] == 0.0)) > 1e-3
    assert all(each.verdict == "violated" for each in record.sabotages)


def test_the_law_is_about_no_other_model(solve):
    for name in ("poisson-mixture", "student-t"):
        [record] = theory.verify(solve(name).problem, solve(name).theta0, ["N0"])
        assert record.verdict == "not applicable"


def test_the_main_job_says_which_models_are_of_the_users_kind(capsys):
    assert run(Request(models=["censored-exponential", "symmoline"], claims=["N0"])) == 0
    told = capsys.readouterr().out
    assert told.index("built-in models") < told.index("models of the user's kind")
    assert "N0-censored-share" in told.split("models of the user's kind")[1]
