"""E0 by draws where an expert is so rare that none comes from it: their own spread knows nothing of it."""

import numpy as np
import pytest

import emmd
from emmd import theory


@pytest.mark.parametrize("log_odds", [70.0, 12.0])
def test_an_expert_whom_no_draw_comes_from_is_no_violation(log_odds):
    model = emmd.MixtureOfExperts(1, 2, family="student_t", gate="constant")
    theta = model.pack(coef=[[0.5], [2.0]], dispersion=[0.0, 0.3], gate=[[log_odds]])
    X = np.ones((40, 1))
    problem = emmd.Problem(model, X, model.sample_y(theta, X, 0))
    [record] = theory.verify(problem, theta, ["E0-normalised"])
    assert record.verdict == "holds"
