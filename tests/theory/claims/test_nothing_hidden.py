"""Claims about rates where components do not overlap at the optimum: nothing is hidden there."""

import numpy as np
import pytest

import emmd
from emmd import theory

RATES = [
    "L1-em-rate",
    "L2-mirror-descent-rate",
    "L6-anderson-gmres",
    "L6-squarem-factor",
    "R3-symmetric-pencil",
]


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(60), np.ones(60)])
    side = rng.integers(2, size=60)
    y = np.where(side, 200.0, -200.0) + X[:, 0] + rng.standard_normal(60)
    model = emmd.MixtureOfExperts(2, 2, gate="constant")
    # at the start the experts overlap
    theta = model.pack(coef=[[1.0, 20.0], [1.0, -20.0]], dispersion=[8.0, 8.0], gate=[[0.1]])
    return theory.verify(emmd.Problem(model, X, y), theta, RATES)


def test_claims_about_rates_do_not_apply(records):
    for record in records:
        assert record.verdict == "not applicable", record
        assert "nothing is hidden at the optimum" in record.reason
