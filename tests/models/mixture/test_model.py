"""K experts: derivatives, EM as projected mirror descent, symmetries and degenerate fits."""

import numpy as np
import pytest

import emmd
from tests.generators.differences import assert_derivatives

FAMILIES = {
    "free": ("gaussian", {}),
    "shared": ("gaussian", {"variance": "shared"}),
    "known": ("gaussian", {"variance": 0.25}),
    "bernoulli": ("bernoulli", {}),
    "poisson": ("poisson", {}),
    "categorical": ("categorical", {"n_classes": 3}),
    "gamma": ("gamma", {}),
}


def mixture(name, K, n=300, seed=0, **more):
    family, options = FAMILIES[name]
    model = emmd.MixtureOfExperts(2, K, family=family, **options, **more)
    rng = np.random.default_rng([seed, K])
    coef = rng.standard_normal(model.shapes["coef"]) * (1.5 if name in ("bernoulli", "categorical") else 0.7)
    gate = rng.standard_normal(model.shapes["gate"])
    spread = model.shapes["dispersion"][0]
    dispersion = rng.uniform(-2.5, -1.5, spread) if family == "gaussian" else rng.uniform(1.0, 2.0, spread)
    truth = model.pack(coef, gate, dispersion if spread else None)
    X = np.column_stack([rng.standard_normal(n), np.ones(n)])
    y = model.sample_y(truth, X, seed)
    return emmd.Problem(model, X, y, rng.uniform(0.5, 1.5, n)), truth


def log_mixture_density(problem, theta):
    """The loss once more: natural parameters, log partition and evidence, no E-step."""
    model, data = problem.model, problem.data
    eta = model.natural_parameters(data, model.predictor_rows(data, theta))
    return -problem.weights @ (model.log_numerator(data, eta) - model.log_partition(eta))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("K", [2, 3])
def test_loss_gradient_and_hessian(name, K):
    problem, theta = mixture(name, K)
    assert problem.loss(theta) == pytest.approx(log_mixture_density(problem, theta), rel=1e-12)
    assert_derivatives(problem, theta)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("K", [2, 3])
def test_em_is_projected_mirror_descent_along_the_path(name, K):
    problem, theta = mixture(name, K, n=120)
    # the generic solver takes its time: far along the path where it is quick, the first steps elsewhere
    steps = 40 if K == 2 and name in ("free", "shared", "known", "poisson") else 5
    em, mirror = (
        emmd.minimize(problem, theta, method, max_iter=steps, tol=1e-12, record=True).trace
        for method in ("em", "projected_mirror_descent")
    )
    np.testing.assert_allclose(em.theta, mirror.theta, rtol=0, atol=1e-8)
    np.testing.assert_allclose(em.loss, mirror.loss, rtol=0, atol=1e-12)


def test_a_longer_mirror_step_is_not_em():
    problem, theta = mixture("free", 2, n=120)
    em = emmd.minimize(problem, theta, max_iter=1).x
    longer = emmd.minimize(problem, theta, "projected_mirror_descent", step_size=1.1, max_iter=1).x
    assert np.abs(em - longer).max() > 1e-4


@pytest.mark.parametrize("kind", [emmd.SymMoLinE, emmd.SymMoLogE])
def test_projection_changes_nothing_where_the_model_set_is_linear(kind):
    model = kind(2)
    theta = np.array([1.0, -0.5, 0.7, 0.2])
    X, y, _ = model.sample(theta, 150, 3)
    problem = emmd.Problem(model, X, y)
    one, other = (
        emmd.minimize(problem, 0.5 * theta, method, max_iter=3, record=True).trace.theta
        for method in ("mirror_descent", "projected_mirror_descent")
    )
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-8)


def test_em_never_increases_the_loss():
    for name in FAMILIES:
        problem, theta = mixture(name, 3)
        loss = emmd.minimize(problem, theta + 0.3, max_iter=60).trace.loss
        assert (np.diff(loss) <= 1e-13 * (1 + np.abs(loss[0]))).all()


def test_tied_experts_are_the_symmetric_model():
    """K = 2, known variance, opposite coefficients: the loss of SymMoLinE."""
    symmetric = emmd.SymMoLinE(3, sigma=0.5)
    theta = np.array([1.0, -0.5, 0.3, 0.7, 0.2, -1.0])
    X, y, _ = symmetric.sample(theta, 200, 1)
    tied = emmd.MixtureOfExperts(3, 2, family="gaussian", variance=0.25)
    general = tied.pack(np.stack([theta[:3], -theta[:3]]), theta[3:][None])
    one, other = emmd.Problem(symmetric, X, y), emmd.Problem(tied, X, y)
    assert one.loss(theta) == pytest.approx(other.loss(general), rel=1e-13)
    slope = other.gradient(general)
    np.testing.assert_allclose(one.gradient(theta)[:3], slope[:3] - slope[3:6], rtol=0, atol=1e-14)
    np.testing.assert_allclose(one.gradient(theta)[3:], slope[6:], rtol=0, atol=1e-14)


def test_experts_can_be_renamed():
    problem, theta = mixture("free", 3)
    copies = problem.model.equivalents(theta)
    assert copies.shape == (6, len(theta))
    losses = [problem.loss(copy) for copy in copies]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-13)
    assert problem.distance(copies[4], theta) < 1e-12


def test_pack_and_unpack_are_inverse():
    model = emmd.MixtureOfExperts(4, 3, expert_columns=[0, 1], gate_columns=[1, 2, 3])
    theta = np.arange(model.n_params, dtype=float)
    named = model.unpack(theta)
    assert {name: part.shape for name, part in named.items()} == {
        "coef": (3, 1, 2),
        "dispersion": (3,),
        "gate": (2, 3),
    }
    np.testing.assert_array_equal(model.pack(**named), theta)
    full = np.vstack([named["gate"], np.zeros(3)]) + 7.0
    np.testing.assert_allclose(model.pack(named["coef"], full, named["dispersion"]), theta)
    named["coef"][:] = -1.0
    np.testing.assert_array_equal(theta, np.arange(model.n_params))


def test_gate_and_experts_may_see_different_columns():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((200, 2)), np.ones(200)])
    model = emmd.MixtureOfExperts(3, 2, expert_columns=[0, 2], gate_columns=[1, 2])
    truth = model.pack([[1.0, 0.5], [-1.0, 0.0]], [[2.0, 0.3]], [-2.0, -2.0])
    problem = emmd.Problem(model, X, model.sample_y(truth, X, 1))
    h = 1e-5
    slopes = [
        (problem.gradient(truth + h * e) - problem.gradient(truth - h * e)) / (2 * h) for e in np.eye(8)
    ]
    np.testing.assert_allclose(problem.hessian(truth), slopes, rtol=0, atol=1e-7)
    assert emmd.minimize(problem, truth).success


def test_mixing_weights_alone():
    problem, theta = mixture("free", 3, gate="constant")
    run = emmd.minimize(problem, theta, max_iter=2000)
    r = problem.responsibilities(run.x)
    share = problem.weights @ r
    np.testing.assert_allclose(run.x[-2:], np.log(share[:-1] / share[-1]), atol=1e-7)


def test_a_variance_that_runs_to_zero_is_named():
    X = np.column_stack([np.arange(12.0), np.ones(12)])
    y = np.where(np.arange(12) < 6, X[:, 0], 5.0 - 3.0 * X[:, 0])
    model = emmd.MixtureOfExperts(2, 2)
    start = model.pack([[1.0, 0.1], [-3.0, 5.2]], [[-2.0, 11.0]], [-1.0, -1.0])
    run = emmd.minimize(emmd.Problem(model, X, y), start)
    assert run.status in (emmd.Status.VARIANCE_COLLAPSE, emmd.Status.DIVERGING)
    assert not run.success
    assert np.isfinite(run.x).all()
    assert np.isfinite(run.fun)


def test_an_expert_without_rows_is_named():
    problem, _ = mixture("known", 2)
    far = problem.model.pack(np.array([[0.0, 0.0], [0.0, 1e3]]), [[0.0, 0.0]])
    run = emmd.minimize(problem, far)
    assert run.status == emmd.Status.EMPTY_EXPERT
    assert not run.success
    assert np.isfinite(run.fun)


BAD = [
    (lambda: emmd.MixtureOfExperts(2, 0), "n_experts must be at least 1, got 0"),
    (lambda: emmd.MixtureOfExperts(2, 2, family="gausian"), "did you mean 'gaussian'"),
    (lambda: emmd.MixtureOfExperts(2, 2, variance="loose"), "variance must be"),
    (lambda: emmd.MixtureOfExperts(2, 2, variance=-1.0), "variance must be positive"),
    (lambda: emmd.MixtureOfExperts(2, 2, gate="hard"), "gate must be one of"),
    (lambda: emmd.MixtureOfExperts(2, 2, gate_columns=[0, 2]), "gate_columns must hold distinct columns"),
    (lambda: emmd.MixtureOfExperts(2, 2, family="categorical", n_classes=1), "n_classes must be at least 2"),
    (lambda: problem_of("poisson", [1.0, 2.5, 3.0]), "y must hold counts"),
    (lambda: problem_of("poisson", [1.0, -2.0, 3.0]), "y must hold counts"),
    (lambda: problem_of("gamma", [1.0, 0.0, 3.0]), "y must be positive"),
    (lambda: problem_of("bernoulli", [1.0, 0.0, -1.0]), "y must hold 0 and 1"),
    (lambda: problem_of("categorical", [1.0, 0.0, 2.0]), "y must hold classes 0 to 1"),
    (lambda: problem_of("gaussian", [1.0]), "at least as many rows as experts (2), got 1"),
    (lambda: mixture("free", 2)[0].mirror_map(np.zeros(8)), "projected_mirror_descent"),
]


def problem_of(family, y):
    rows = len(y)
    return emmd.Problem(emmd.MixtureOfExperts(1, 2, family=family), np.ones((rows, 1)), np.array(y))


@pytest.mark.parametrize(("call", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_bad_input(call, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert says in str(caught.value)
