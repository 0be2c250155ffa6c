"""The claims on experts that hide a variable beside z, and on one expert, where nothing is hidden."""

import numpy as np
import pytest

import emmd
from emmd import theory


def records(family, n_experts, claims):
    model, rng = emmd.MixtureOfExperts(2, n_experts, family=family), np.random.default_rng(0)
    theta = 0.5 * rng.standard_normal(model.n_params)
    X = np.column_stack([rng.standard_normal(80), np.ones(80)])
    problem = emmd.Problem(model, X, model.sample_y(theta, X, 1))
    return {record.claim: str(record.verdict) for record in theory.verify(problem, theta, claims=claims)}


@pytest.mark.parametrize("family", ["student_t", "negative_binomial", "zero_inflated_poisson"])
def test_em_on_hidden_variables_is_what_the_claims_say(family):
    found = records(family, 2, ["E1-fisher-identity", "C1-exact-decrease", "C5-constant-gate"])
    assert set(found.values()) == {"holds"}


def test_one_expert_has_no_rate_and_no_mixing_weights():
    found = records(
        "poisson", 1, ["E1-fisher-identity", "L1-em-rate", "C5-constant-gate", "R3-symmetric-pencil"]
    )
    assert found.pop("E1-fisher-identity") == "holds"
    assert set(found.values()) == {"not applicable"}
