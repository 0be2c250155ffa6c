"""A gate or experts at known values: they leave theta, and the rest is fitted as before."""

import numpy as np
import pytest

import emmd
from emmd import theory
from tests.models.mixture.test_model import FAMILIES, mixture


def pair(name, K, part):
    """Return the problem with everything free, its parameter, and the one with a part fixed there."""
    whole, theta = mixture(name, K)
    named = whole.model.unpack(theta)
    keep = ["gate"] if part == "gate" else ["coef", "dispersion"] if len(named["dispersion"]) else ["coef"]
    family, options = FAMILIES[name]
    model = emmd.MixtureOfExperts(2, K, family=family, fixed={k: named[k] for k in keep}, **options)
    free = np.concatenate([whole.model.index[k].ravel() for k in named if k not in keep])
    return whole, theta, emmd.Problem(model, whole.X, whole.y, whole.weights), free.astype(int)


def same(one, other):
    # weights are normalised twice: rounding differs
    np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("part", ["gate", "experts"])
def test_derivatives_are_those_of_the_free_part(name, part):
    whole, theta, problem, free = pair(name, 3, part)
    assert problem.n_params == len(free)
    point = theta[free]
    assert problem.loss(point) == pytest.approx(whole.loss(theta), rel=1e-13)
    same(problem.gradient(point), whole.gradient(theta)[free])
    block = np.ix_(free, free)
    same(problem.hessian(point), whole.hessian(theta)[block])
    same(problem.complete_hessian(point), whole.complete_hessian(theta)[block])
    same(problem.em_step(point), whole.em_step(theta)[free])


@pytest.mark.parametrize("part", ["gate", "experts"])
def test_em_keeps_what_is_fixed_and_contracts_as_predicted(part):
    _, theta, problem, free = pair("free", 2, part)
    run = emmd.minimize(problem, theta[free])
    assert run.success, run.message
    named = problem.model.unpack(run.x)
    for key, value in problem.model.fixed.items():
        np.testing.assert_array_equal(named[key], value)
    rate = theory.predicted_rate(problem, run.x)
    assert theory.contraction(problem, run.x).value == pytest.approx(rate, rel=1e-4)
    for record in theory.verify(problem, theta[free], ["E1", "E2", "E3", "E6", "E7", "C1"]):
        linear = part == "experts" and record.claim.startswith("E6")
        assert record.verdict == ("not applicable" if linear else "holds"), record


def test_symmetries_keep_what_is_fixed():
    whole, theta, problem, free = pair("poisson", 3, "gate")
    assert len(whole.model.equivalents(theta)) == 6
    np.testing.assert_array_equal(problem.model.equivalents(theta[free]), theta[free][None])
    equal = emmd.MixtureOfExperts(2, 3, "poisson", fixed={"gate": np.zeros((2, 2))})
    assert len(equal.equivalents(theta[:6])) == 6


def test_pack_takes_the_free_part():
    whole, theta, problem, free = pair("free", 3, "experts")
    named = whole.model.unpack(theta)
    np.testing.assert_array_equal(problem.model.pack(gate=named["gate"]), theta[free])
    np.testing.assert_array_equal(problem.model.pack(**named), theta[free])
    with pytest.raises(ValueError, match="coef is fixed and must keep its values"):
        problem.model.pack(named["coef"] + 1.0, named["gate"])
    with pytest.raises(ValueError, match="gate must be given"):
        problem.model.pack()


def test_a_wide_column_set_says_why_features_cannot_be_mixed():
    _, theta, problem, free = pair("poisson", 2, "gate")
    with pytest.raises(ArithmeticError, match="experts or gate are fixed"):
        problem.model.transform_features(theta[free], np.eye(2))
