"""A sparse gate: within a region where no row changes its experts it is a mixture like any other."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.core.protocols.gate import gate_object
from emmd.models.gates.top_k import TopK


def clusters(family="gaussian", k=2, n=120):
    """Three groups of rows, each far from where one expert would be selected."""
    rng = np.random.default_rng(5)
    model = emmd.MixtureOfExperts(3, 3, family, gate=TopK(k))
    group = rng.integers(3, size=n)
    corner = 8.0 * np.array([[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]])[group]
    X = np.column_stack([corner + rng.standard_normal((n, 2)), np.ones(n)])
    coef = np.array([[0.2, 0.1, 1.0], [-0.1, 0.2, -1.0], [0.1, -0.2, 0.3]])
    gate = np.array([[0.4, 0.5, 0.1], [0.5, -0.3, -0.2]])
    named = {"coef": coef, "gate": gate}
    if family == "gaussian":
        named["dispersion"] = np.full(3, -1.0)
    theta = model.pack(**named)
    return emmd.Problem(model, X, model.sample_y(theta, X, 1)), theta


def test_probabilities():
    gate = TopK(2)
    logits = np.array([[1.0, 0.0, -3.0], [2.0, 0.0, -1.0]])
    p = np.exp(gate.log_probabilities(logits))
    np.testing.assert_allclose(p.sum(axis=0), 1.0, rtol=1e-15)
    # of equal logits the first experts are taken
    np.testing.assert_array_equal(p > 0, [[True, True, False], [True, True, True], [False, False, True]])
    np.testing.assert_allclose(p[:2, 0], np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum(), rtol=1e-14)


def test_all_experts_are_a_softmax():
    problem, theta = clusters(k=3)
    dense = emmd.MixtureOfExperts(3, 3, "gaussian")
    plain = emmd.Problem(dense, problem.X, problem.y)
    assert problem.loss(theta) == pytest.approx(plain.loss(theta), rel=1e-14)
    np.testing.assert_allclose(problem.em_step(theta), plain.em_step(theta), rtol=0, atol=1e-10)
    for mine, theirs in zip(problem.informations(theta), plain.informations(theta)):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_claims_hold_within_a_region(family):
    problem, theta = clusters(family)
    run = emmd.minimize(problem, theta, max_iter=30, tol=1e-6)
    model, data = problem.model, problem.data
    assert model.same_region(data, theta, run.x)
    ids = ["E1", "E2", "E5", "E6", "C1", "L4", "R1"]
    records = {record.claim: record for record in theory.verify(problem, run.x, claims=ids)}
    verdicts = {claim: str(record.verdict) for claim, record in records.items()}
    assert verdicts.pop("R1-relative-smoothness") == "not applicable"
    assert set(verdicts.values()) == {"holds"}, verdicts


def test_no_identity_is_claimed_across_regions():
    problem, theta = clusters()
    other = theta.copy()
    other[problem.model.index["gate"]] *= -1.0
    assert not problem.model.same_region(problem.data, theta, other)
    lab = theory.Lab(problem, theta)
    assert all(problem.model.same_region(problem.data, theta, point) for _, point in lab.probes)


def test_the_loss_may_jump_and_the_run_goes_on():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((200, 2)), np.ones(200)])
    dense = emmd.MixtureOfExperts(3, 4, "gaussian")
    y = dense.sample_y(rng.standard_normal(dense.n_params), X, 0)
    # without a penalty sparse gates separate the rows
    model = emmd.MixtureOfExperts(3, 4, "gaussian", gate=TopK(2), gate_ridge=0.01, variance=1.0)
    problem = emmd.Problem(model, X, y)
    run = emmd.minimize(problem, rng.standard_normal(model.n_params), max_iter=200, tol=1e-6)
    assert run.status in (emmd.Status.CONVERGED, emmd.Status.ITERATION_LIMIT), run.message
    assert run.fun < run.trace.loss[0]


def test_one_expert_a_row_leaves_the_gate_alone():
    problem, theta = clusters(k=1)
    gate = problem.model.index["gate"]
    r = problem.responsibilities(theta)
    m_step = problem.model.m_step(problem.data, r, theta)
    np.testing.assert_array_equal(m_step.theta[gate], theta[gate])
    np.testing.assert_array_equal(problem.gradient(theta)[gate], 0.0)


def test_one_expert_a_row_is_fitted_and_ends():
    """No likelihood moves its gate: those are null directions, not parameters that run to infinity."""
    problem, theta = clusters(k=1)
    model, gate = problem.model, problem.model.index["gate"]
    start = theta + np.where(np.isin(np.arange(len(theta)), gate), 0.0, 0.1)
    run = emmd.minimize(problem, start)
    assert run.status == emmd.Status.CONVERGED, run.message
    np.testing.assert_array_equal(run.x[gate], theta[gate])
    assert model.null_directions(problem.data, run.x).shape == (model.n_params, gate.size)
    for k, rows in enumerate(problem.responsibilities(run.x).T > 0.5):
        alone = np.linalg.lstsq(problem.X[rows], problem.y[rows])[0]
        np.testing.assert_allclose(model.unpack(run.x)["coef"][k, 0], alone, rtol=0, atol=1e-10)
    # nothing is hidden: EM is there in one step
    assert theory.predicted_rate(problem, run.x) == pytest.approx(0.0, abs=1e-12)


def test_names_with_a_number():
    assert gate_object("top-1").k == 1
    assert gate_object("top-k").k == TopK().k
    with pytest.raises(ValueError, match="k must be"):
        gate_object("top-0")
    with pytest.raises(ValueError, match="gate must be one of constant, softmax, top-k"):
        gate_object("soft-2")


def test_bad_k():
    with pytest.raises(ValueError, match="k must be"):
        TopK(0)


def test_no_data_speak_for_an_expert_that_the_gate_leaves_out():
    """A log weight of -1e4 was made up for by data that are 1e5 more likely, in logs, under that expert."""
    X, y = np.ones((4, 1)), np.array([1e3, 2e3, -1e3, 5e2])
    model = emmd.MixtureOfExperts(1, 2, family="gaussian", variance=1.0, gate="top-1")
    theta = model.pack(coef=[[0.0], [1e3]], gate=[[1.0]])
    problem = emmd.Problem(model, X, y)
    np.testing.assert_array_equal(problem.responsibilities(theta), np.tile([1.0, 0.0], (4, 1)))
    assert problem.loss(theta) == pytest.approx(0.5 * np.mean(y**2) + 0.5 * np.log(2.0 * np.pi), rel=1e-14)
