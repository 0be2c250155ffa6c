"""Many coefficients: conjugate gradients against dense Newton steps, and the bound of the information."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import emmd
from emmd.core.protocols.family import family_object
from emmd.fits import glm
from emmd.fits.large_glm import LargeFit
from emmd.rows.design import Design
from emmd.rows.information_bound import bounds, safe_step
from emmd.rows.weighted_rows import Rows


def draw(n=500, d=26, classes=5, seed=0):
    """Return a family, badly scaled features with an intercept, classes and uneven weights."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal((n, d - 1)) * np.geomspace(1e-2, 1e2, d - 1), np.ones(n)])
    family = family_object("categorical", n_classes=classes)
    y = family.sample(X @ (rng.standard_normal((classes - 1, d)) / np.sqrt(d * (X**2).mean(axis=0))).T, rng)
    return family, X, Design(X, np.full(n, 1.0 / n)), y, rng.uniform(0.1, 1.0, n) / n


def fit(monkeypatch, largest, ridge, start=None):
    family, _, design, y, weights = draw()
    monkeypatch.setattr(glm, "LARGE", largest)
    start = np.zeros((4, 26)) if start is None else start
    return design, family.fit(Rows(design, family.statistics(y), weights), start, ridge=ridge)


@pytest.mark.parametrize("ridge", [None, np.append(np.full(25, 1e-2), 0.0)])
def test_conjugate_gradients_find_the_dense_fit(monkeypatch, ridge):
    design, dense = fit(monkeypatch, 10**9, ridge)
    _, large = fit(monkeypatch, 1, ridge)
    assert dense[2] <= 1e-13
    assert large[2] <= 1e-13
    # residuals of 1e-13 over the least curvature seen bound the difference of two minimisers
    np.testing.assert_allclose(
        large[0] * design.scale, dense[0] * design.scale, rtol=0, atol=2e-13 / dense[3] * 26
    )
    # a far, saturated start is replaced by 0
    _, far = fit(monkeypatch, 1, ridge, np.full((4, 26), 50.0))
    np.testing.assert_allclose(far[0], large[0], rtol=0, atol=1e-10 * np.abs(large[0]).max())


def test_the_product_is_the_derivative_of_the_gradient():
    family, _, design, y, weights = draw()
    large = LargeFit(family, Rows(design, family.statistics(y), weights), np.linspace(0.0, 1e-2, 26))
    rng = np.random.default_rng(1)
    at, v = (rng.standard_normal(104) / np.tile(design.scale, 4) for _ in range(2))
    state = large.evaluate(at)[2]
    # what a fit keeps of its last point must not serve another
    large.evaluate(-at)
    seen = large.product(state, v)
    h = 1e-5
    expected = (large.evaluate(at + h * v)[1] - large.evaluate(at - h * v)[1]) / (2 * h)
    scale = np.tile(design.scale, 4)
    np.testing.assert_allclose(seen / scale, expected / scale, rtol=0, atol=1e-8)


def test_the_fit_is_that_of_scikit_learn(monkeypatch):
    # scikit-learn penalises all C rows of the over-parametrised model; without a penalty both are one
    family, X, design, y, _ = draw()
    monkeypatch.setattr(glm, "LARGE", 1)
    coef = family.fit(Rows(design, family.statistics(y), design.weights), np.zeros((4, 26)))[0]
    scaled = X / design.scale
    other = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=5000).fit(scaled, y)
    theirs = other.coef_[:-1] - other.coef_[-1]
    np.testing.assert_allclose(coef * design.scale, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())


def test_separable_classes_run_to_infinity_and_say_so():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((60, 25)), np.ones(60)])
    y = (X[:, 0] > 0) + 2.0 * (X[:, 1] > 0)
    model = emmd.MixtureOfExperts(26, 2, family="categorical", n_classes=5)
    result = emmd.minimize(emmd.Problem(model, X, y), np.zeros(model.n_params), max_iter=50)
    assert not result.success
    assert np.isfinite(result.x).all()
    assert np.isfinite(result.fun)


@pytest.mark.parametrize("gate", ["softmax", "constant"])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_the_bound_is_above_the_information_everywhere(gate, ridge):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((200, 2)) * 3.0, np.ones(200)])
    more = {"expert_ridge": ridge, "gate_ridge": ridge if gate == "softmax" else 0.0, "gate": gate}
    model = emmd.MixtureOfExperts(3, 3, family="categorical", n_classes=3, **more)
    problem = emmd.Problem(model, X, rng.integers(0, 3, 200).astype(float))
    matrices = bounds(model, problem.data)
    largest = 0.0
    for scale in (0.0, 0.1, 1.0, 5.0):
        theta = scale * rng.standard_normal(model.n_params)
        complete = problem.complete_hessian(theta)
        above = np.zeros_like(complete)
        for block in model.blocks:
            above[np.ix_(block.entries, block.entries)] += matrices[block.features]
        assert np.linalg.eigvalsh(above - complete)[0] >= -1e-12
        largest = max(largest, np.linalg.eigvalsh(complete)[-1])
        step = problem.model.loss_and_gradient(problem.data, theta)[1] * safe_step(model, problem.data)
        assert problem.loss(theta - step) <= problem.loss(theta)
    # not so far above that it says nothing: responsibilities of 1/3 and p(1-p) <= 1/4 cost a factor of 6
    assert largest * safe_step(model, problem.data) > 0.1


def test_a_long_parameter_stops_at_the_same_optimum(monkeypatch):
    from emmd.models.mixture import model as mixture

    rng = np.random.default_rng(3)
    X = np.column_stack([rng.standard_normal((400, 2)), np.ones(400)])
    model = emmd.MixtureOfExperts(3, 2, family="categorical", n_classes=3, expert_ridge=0.02, gate_ridge=0.02)
    truth = 2.0 * rng.standard_normal(model.n_params)
    problem = emmd.Problem(model, X, model.sample_y(truth, X, 0))
    options = {"method": "gradient_descent", "step_size": "backtracking", "tol": 1e-7, "max_iter": 20_000}
    exact = emmd.minimize(problem, truth, **options)
    monkeypatch.setattr(mixture, "_LONG", 1)
    bounded = emmd.minimize(problem, truth, **options)
    assert exact.success
    assert bounded.success
    np.testing.assert_allclose(bounded.x, exact.x, rtol=0, atol=1e-4)
