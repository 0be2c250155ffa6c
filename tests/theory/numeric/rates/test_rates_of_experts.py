"""K experts of every family, with both gates: the predicted rate is the spectral radius of EM's own map."""

import pytest

import emmd
from emmd import theory
from emmd.models.mixture.separations import FAMILIES, mixture_snr_parameters

CASES = [
    ("gaussian", "softmax", 6),
    ("gaussian", "constant", 4),
    ("bernoulli", "softmax", 3),
    ("bernoulli", "constant", 2),
    ("categorical", "softmax", 2),
    ("categorical", "constant", 3),
    ("poisson", "softmax", 5),
    ("poisson", "constant", 6),
    ("gamma", "softmax", 4),
    ("gamma", "constant", 5),
]


def test_every_family_and_number_of_experts_is_there():
    assert {family for family, *_ in CASES} == set(FAMILIES)
    assert {experts for *_, experts in CASES} == {2, 3, 4, 5, 6}


@pytest.mark.parametrize(("family", "gate", "experts"), CASES)
def test_the_rate_is_that_of_the_map(family, gate, experts):
    model = emmd.MixtureOfExperts(experts, experts, family, gate=gate)
    truth = mixture_snr_parameters(model, 4.0, 2.0 if gate == "softmax" else 0.0, 0.0)
    X, y, _ = model.sample(truth, 1500, 1)
    problem = emmd.Problem(model, X, y)
    optimum = theory.reference_optimum(problem, truth)
    assert optimum.strict, optimum.reason
    predicted = theory.predicted_rate(problem, optimum.theta)
    observed = theory.contraction(problem, optimum.theta)
    assert observed.error < 1e-5
    assert abs(observed.value - predicted) <= min(observed.error, 1e-8 * predicted)
    assert 0.1 < predicted < 1.0
