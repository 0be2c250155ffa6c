"""Ridge on gate and experts: part of the loss, exact penalised M-steps, monotone EM."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

import emmd
from emmd import theory
from tests.generators.differences import assert_derivatives
from tests.models.mixture.test_model import FAMILIES, mixture

EXPERT, GATE = np.array([0.3, 0.05]), np.array([0.2, 0.1])


def penalised(name, K, **ridge):
    plain, theta = mixture(name, K)
    family, options = FAMILIES[name]
    ridge = ridge or {"expert_ridge": EXPERT, "gate_ridge": GATE}
    model = emmd.MixtureOfExperts(2, K, family=family, **options, **ridge)
    return emmd.Problem(model, plain.X, plain.y, plain.weights), plain, theta


def penalty(name, model, theta):
    """The penalty once more, from its definition, in loops."""
    named, K = model.unpack(theta), model.n_experts
    gate = [*named["gate"], np.zeros(2)]
    total = 0.0
    for k in range(K):
        dispersion = (
            named["dispersion"][min(k, len(named["dispersion"]) - 1)] if len(named["dispersion"]) else 0
        )
        tau = {"free": np.exp(-dispersion), "shared": np.exp(-dispersion), "known": 4.0}.get(name, 1.0)
        tau = np.exp(dispersion) if name == "gamma" else tau
        for row in named["coef"][k]:
            total += tau / 2 * sum(EXPERT[j] * row[j] ** 2 for j in range(2))
        total += sum(GATE[j] * (gate[k][j] - np.mean([w[j] for w in gate])) ** 2 for j in range(2)) / 2
    return total


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("K", [2, 3])
def test_the_loss_includes_the_penalty_and_its_derivatives(name, K):
    problem, plain, theta = penalised(name, K)
    expected = penalty(name, problem.model, theta)
    assert problem.penalty(theta) == pytest.approx(expected, rel=1e-13)
    assert problem.loss(theta) - plain.loss(theta) == pytest.approx(expected, rel=1e-12)
    assert_derivatives(problem, theta)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("K", [2, 3])
def test_the_m_step_minimises_the_penalised_surrogate(name, K):
    problem, _, theta = penalised(name, K)
    r = problem.responsibilities(theta)
    m_step = problem.m_step(r, theta)
    assert m_step.solved
    unit = problem.model.parameter_scale(problem.data)
    slope = problem.model.surrogate_gradient(problem.data, r, m_step.theta) / unit
    assert np.abs(slope).max() <= 1e-12 * (1.0 + np.abs(m_step.theta).max())
    found = scipy_minimize(lambda u: problem.surrogate(r, u / unit), theta * unit, method="BFGS")
    assert problem.surrogate(r, m_step.theta) <= found.fun + 1e-12
    np.testing.assert_allclose(m_step.theta * unit, found.x, rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_em_is_monotone_and_ends_at_a_stationary_point(name):
    problem, plain, theta = penalised(name, 2)
    run = emmd.minimize(problem, theta, tol=1e-9)
    assert run.success, run.message
    assert (np.diff(run.trace.loss) <= 1e-13 * (1.0 + abs(run.trace.loss[0]))).all()
    assert np.linalg.norm(problem.gradient(run.x)) < 1e-7
    # the penalty matters here
    assert np.linalg.norm(plain.gradient(run.x)) > 1e-3


@pytest.mark.parametrize("name", ["free", "poisson", "categorical"])
def test_em_is_still_projected_mirror_descent(name):
    problem, _, theta = penalised(name, 2)
    em, mirror = (
        emmd.minimize(problem, theta, method, max_iter=3, tol=1e-12, record=True).trace
        for method in ("em", "projected_mirror_descent")
    )
    np.testing.assert_allclose(em.theta, mirror.theta, rtol=0, atol=1e-8)
    np.testing.assert_allclose(em.loss, mirror.loss, rtol=0, atol=1e-12)


def test_claims_hold_for_the_penalised_problem():
    problem, _, theta = penalised("poisson", 2)
    wanted = ["E1", "E3", "E5", "E6", "E7", "R1-exact-identity", "C1", "C2", "L1", "L2", "L5"]
    for record in theory.verify(problem, theta, wanted):
        assert record.verdict == "holds", record
        assert {sabotage.verdict for sabotage in record.sabotages} == {"violated"}
    record = theory.verify(problem, theta, ["R4"])[0]
    assert record.verdict == "not applicable"
    assert "ridge" in record.reason


def test_a_ridge_determines_what_repeated_columns_and_separable_classes_leave_open():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(80)
    X, y = np.column_stack([x, x, np.ones(80)]), (x > 0).astype(float)
    theta = 0.1 * rng.standard_normal(emmd.MixtureOfExperts(3, 2, "bernoulli").n_params)
    plain = emmd.Problem(emmd.MixtureOfExperts(3, 2, "bernoulli"), X, y)
    assert emmd.minimize(plain, theta).status == emmd.Status.SINGULAR_DESIGN
    model = emmd.MixtureOfExperts(3, 2, "bernoulli", expert_ridge=0.1, gate_ridge=0.1)
    run = emmd.minimize(emmd.Problem(model, X, y), theta)
    assert run.success, run.message
    assert np.abs(run.x).max() < 20
    assert emmd.minimize(
        emmd.Problem(emmd.MixtureOfExperts(3, 2, "bernoulli", gate_ridge=0.1), X, y), theta
    ).status == (emmd.Status.SINGULAR_DESIGN)


def test_experts_may_be_renamed_under_a_ridge():
    problem, _, theta = penalised("free", 3)
    losses = [problem.loss(copy) for copy in problem.model.equivalents(theta)]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-13)


BAD = [
    ({"expert_ridge": -1.0}, "expert_ridge must not be negative, got -1"),
    ({"gate_ridge": [0.1]}, "gate_ridge must have shape (2,), got (1,)"),
    ({"gate_ridge": "much"}, "gate_ridge must hold real numbers"),
    ({"gate_ridge": 0.1, "gate": "constant"}, "gate_ridge must be 0 when there is nothing to penalise"),
    ({"expert_ridge": 0.1, "fixed": {"coef": np.ones((2, 2))}}, "expert_ridge must be 0"),
    (
        {"fixed": {"coef": np.ones((2, 2)), "gate": [[1.0, 0.0]]}},
        "fixed must hold 'gate', or the experts' 'coef'",
    ),
    ({"fixed": {"gate": [[1.0, 0.0, 2.0]]}}, "gate must have shape"),
    ({"fixed": [1.0]}, "fixed must be a dict"),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_bad_input(options, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        emmd.MixtureOfExperts(2, 2, "poisson", **options)
    assert says in str(caught.value)
