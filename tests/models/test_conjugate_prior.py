"""Conjugate priors: pseudo-observations at the same features; MAP-EM is mirror descent, shorter step."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.theory.symbolic import prove
from emmd.theory.symbolic.proof import sabotages
from tests.models.mixture.test_model import FAMILIES, mixture

NU = 0.5


def with_prior(name, K, nu=NU):
    plain, theta = mixture(name, K)
    centre = theta + 0.2 * np.random.default_rng(1).standard_normal(len(theta))
    model = emmd.ConjugatePrior(plain.model, nu, centre)
    return emmd.Problem(model, plain.X, plain.y, plain.weights), plain, theta


def symmetric(kind, nu=NU):
    model = kind(2)
    theta = np.array([1.0, -0.5, 0.7, 0.2])
    X, y, _ = model.sample(theta, 200, 3)
    return emmd.Problem(emmd.ConjugatePrior(model, nu, 0.7 * theta), X, y), emmd.Problem(model, X, y), theta


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("K", [2, 3])
def test_loss_and_derivatives(name, K):
    problem, plain, theta = with_prior(name, K)
    model = problem.model
    prior = NU * plain.divergence(theta, model.centre)
    assert problem.loss(theta) == pytest.approx(plain.loss(theta) + prior, rel=1e-13)
    rows = problem.definition.losses(problem.definition.eta(theta))
    assert problem.loss(theta) == pytest.approx(float(problem.weights @ rows), rel=1e-12)
    np.testing.assert_allclose(problem.gradient(theta), problem.definition.gradient(theta), atol=1e-13)
    h = 1e-5
    slopes = [
        (problem.gradient(theta + h * e) - problem.gradient(theta - h * e)) / (2 * h)
        for e in np.eye(len(theta))
    ]
    scale = np.abs(problem.complete_hessian(theta)).max()
    np.testing.assert_allclose(problem.hessian(theta), slopes, rtol=0, atol=1e-8 * (1.0 + scale))


@pytest.mark.parametrize("name", FAMILIES)
def test_map_em_decreases_its_loss_to_a_stationary_point(name):
    problem, _, theta = with_prior(name, 3)
    run = emmd.minimize(problem, theta)
    assert run.success, run.message
    assert (np.diff(run.trace.loss) <= 1e-13 * (1.0 + abs(run.trace.loss[0]))).all()
    np.testing.assert_allclose(problem.definition.gradient(run.x), 0.0, atol=1e-8)


def test_the_update_is_the_mean_of_observations_and_pseudo_observations():
    """Two Gaussian components without features: the formulas of a textbook."""
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.normal(-2.0, 0.5, 40), rng.normal(1.0, 1.0, 60)])
    model = emmd.MixtureOfExperts(1, 2, gate="constant")
    centre = model.pack([[-1.0], [2.0]], [[0.3]], np.log([0.8, 1.5]))
    problem = emmd.Problem(emmd.ConjugatePrior(model, NU, centre), np.ones((100, 1)), y)
    r = problem.responsibilities(centre)
    named = model.unpack(problem.m_step(r, centre).theta)
    share = np.exp([0.3, 0.0]) / np.exp([0.3, 0.0]).sum()
    for k, (mean, variance) in enumerate([(-1.0, 0.8), (2.0, 1.5)]):
        mass = r[:, k].mean() + NU * share[k]
        expected = ((r[:, k] * y).mean() + NU * share[k] * mean) / mass
        spread = (r[:, k] * (y - expected) ** 2).mean() + NU * share[k] * (variance + (mean - expected) ** 2)
        assert named["coef"][k, 0, 0] == pytest.approx(expected, rel=1e-13)
        assert np.exp(named["dispersion"][k]) == pytest.approx(spread / mass, rel=1e-12)
    odds = (r.mean(axis=0) + NU * share)[0] / (r.mean(axis=0) + NU * share)[1]
    assert named["gate"][0, 0] == pytest.approx(np.log(odds), rel=1e-13)


@pytest.mark.parametrize("kind", [emmd.SymMoLinE, emmd.SymMoLogE])
def test_map_em_is_mirror_descent_with_a_shorter_step(kind):
    problem, plain, theta = symmetric(kind)
    for _ in range(3):
        after = problem.em_step(theta)
        dual = plain.mirror_gradient(theta) - problem.gradient(theta) / (1.0 + NU)
        np.testing.assert_allclose(plain.mirror_inverse(dual, theta).theta, after, rtol=0, atol=1e-12)
        theta = after
    em = emmd.minimize(problem, theta, max_iter=4, tol=1e-14, record=True).trace.theta
    mirror = emmd.minimize(problem, theta, "mirror_descent", max_iter=4, tol=1e-14, record=True).trace.theta
    np.testing.assert_allclose(em, mirror, rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", [emmd.SymMoLinE, emmd.SymMoLogE])
def test_a_prior_divides_the_missing_information_by_one_plus_its_strength(kind):
    problem, plain, theta = symmetric(kind)
    one, other = (theory.missing_information(each, theta).eigenvalues for each in (problem, plain))
    np.testing.assert_allclose(one, other / (1.0 + NU), rtol=1e-12)


@pytest.mark.parametrize("name", ["free", "bernoulli"])
def test_map_em_is_projected_mirror_descent(name):
    problem, _, theta = with_prior(name, 2)
    em, mirror = (
        emmd.minimize(problem, theta, method, max_iter=3, tol=1e-12, record=True).trace.theta
        for method in ("em", "projected_mirror_descent")
    )
    np.testing.assert_allclose(em, mirror, rtol=0, atol=1e-8)


def test_claims_hold_under_a_prior():
    problem, _, theta = with_prior("poisson", 2)
    wanted = ["E1", "E2", "E3", "E5", "E6", "R1-exact-identity", "R3", "C1", "C2", "L1", "L2", "L4", "L5"]
    for record in theory.verify(problem, theta, wanted):
        assert record.verdict == "holds", record
        assert {sabotage.verdict for sabotage in record.sabotages} == {"violated"}
    by_claim = {record.claim: record for record in theory.verify(problem, theta, ["R4", "E7"])}
    assert "centred" in by_claim["R4-invariance"].reason
    assert "already" in by_claim["E7-map-step"].reason
    problem, _, theta = symmetric(emmd.SymMoLogE)
    for record in theory.verify(
        problem, theta, ["E1", "E4-em-is-mirror-descent", "E5", "C1", "C3", "L1", "L2"]
    ):
        assert record.verdict == "holds", record
        assert {sabotage.verdict for sabotage in record.sabotages} == {"violated"}


def test_e7_holds_for_every_model_and_is_proved_for_the_symmetric_ones():
    for kind in (emmd.SymMoLinE, emmd.SymMoLogE):
        _, plain, theta = symmetric(kind)
        record = theory.verify(plain, theta, ["E7"])[0]
        assert (record.verdict, record.proof) == ("holds", "proved")
        assert {sabotage.verdict for sabotage in record.sabotages} == {"violated"}
        assert not any(
            prove("E7", plain.model.name, **variant).proved for variant in sabotages("E7").values()
        )
    for name in FAMILIES:
        plain, theta = mixture(name, 3, n=150)
        record = theory.verify(plain, theta, ["E7"])[0]
        assert record.verdict == "holds", record
        assert {sabotage.verdict for sabotage in record.sabotages} == {"violated"}


def test_a_prior_keeps_a_variance_from_running_to_zero():
    X = np.column_stack([np.arange(12.0), np.ones(12)])
    y = np.where(np.arange(12) < 6, X[:, 0], 5.0 - 3.0 * X[:, 0])
    model = emmd.MixtureOfExperts(2, 2)
    start = model.pack([[1.0, 0.1], [-3.0, 5.2]], [[-2.0, 11.0]], [-1.0, -1.0])
    assert emmd.minimize(emmd.Problem(model, X, y), start).status == emmd.Status.VARIANCE_COLLAPSE
    run = emmd.minimize(emmd.Problem(emmd.ConjugatePrior(model, 0.1, 0.5 * start), X, y), start)
    assert run.success, run.message


def test_the_symmetries_are_those_that_keep_the_centre():
    problem, plain, theta = symmetric(emmd.SymMoLogE)
    assert len(plain.model.equivalents(theta)) == 4
    assert len(problem.model.equivalents(theta)) == 1
    assert len(emmd.ConjugatePrior(plain.model, 1.0, np.zeros(4)).equivalents(theta)) == 4


BAD = [
    (lambda model: emmd.ConjugatePrior(3, 1.0, np.zeros(4)), "model must be an emmd model"),
    (lambda model: emmd.ConjugatePrior(model, 0.0, np.zeros(4)), "strength must be positive"),
    (lambda model: emmd.ConjugatePrior(model, 1.0, np.zeros(3)), "centre must have shape (4,), got (3,)"),
    (
        lambda model: emmd.ConjugatePrior(emmd.ConjugatePrior(model, 1.0, np.zeros(4)), 1.0, np.zeros(4)),
        "model must be an emmd model without prior",
    ),
]


@pytest.mark.parametrize(("call", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_bad_input(call, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(emmd.SymMoLinE(2))
    assert says in str(caught.value)
