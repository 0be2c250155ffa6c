"""A fixed gate, fixed experts, a constant gate, features of their own: against scipy on the free part."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

import emmd
from tests.estimators.optima.plain import flat_errors, flat_parameters, loglik
from tests.estimators.optima.test_likelihood import data, estimator

FAMILIES = ["gaussian", "gamma", "poisson"]
GATE = ("gate_coef", "gate_intercept")
EXPERTS = ("coef", "intercept", "dispersion")


def held(fit, part, shift=0.1):
    """Return the part's fitted values, moved a little so that it matters what is held."""
    values = {name: getattr(fit, f"{name}_") for name in part}
    values = {name: value for name, value in values.items() if value is not None}
    return {
        name: value * (1.0 + shift) if name != "gate_intercept" else value for name, value in values.items()
    }


def free_entries(family, part):
    """Return which entries of `split`'s vector are free for K = 2 and one feature."""
    free = np.ones(8, dtype=bool)
    free[4:6] = family != "poisson"
    free[slice(0, 6) if part is EXPERTS else slice(6, 8)] = False
    return free


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", [GATE, EXPERTS], ids=["gate", "experts"])
def test_what_is_not_fixed_is_the_optimum_that_scipy_finds(family, part):
    X, y = data(family)
    whole = estimator(family).fit(X, y)
    fixed = held(whole, part)
    fit = estimator(family, fixed=fixed).fit(X, y)
    assert fit.converged_
    for name, value in fixed.items():
        np.testing.assert_allclose(getattr(fit, f"{name}_"), value, rtol=1e-12, atol=1e-12)
    flat, free = flat_parameters(fit), free_entries(family, part)

    def objective(u):
        point = flat.copy()
        point[free] = u
        return -loglik(point, family, X, y, 2)

    assert -objective(flat[free]) == pytest.approx(fit.loglik_, rel=1e-11)
    start = flat_parameters(whole)[free] + 0.05
    found = minimize(
        objective, start, method="Nelder-Mead", options={"maxfev": 20_000, "fatol": 1e-9, "xatol": 1e-7}
    )
    # scipy is not better from where it starts; when it ends in the same place it agrees
    assert fit.loglik_ >= -found.fun - 1e-6
    polished = minimize(objective, flat[free], method="BFGS")
    np.testing.assert_allclose(polished.x, flat[free], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("part", [GATE, EXPERTS], ids=["gate", "experts"])
def test_standard_errors_and_criteria_count_the_free_part_only(part):
    X, y = data("gaussian")
    whole = estimator("gaussian").fit(X, y)
    fit = estimator("gaussian", fixed=held(whole, part, 0.0)).fit(X, y)
    assert fit.loglik_ == pytest.approx(whole.loglik_, rel=1e-9)
    flat, free = flat_parameters(fit), free_entries("gaussian", part)
    h, axes = 1e-3, np.eye(8)[free]

    def second(a, b):
        signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
        terms = [s * t * loglik(flat + h * (s * a + t * b), "gaussian", X, y, 2) for s, t in signs]
        return -sum(terms) / (4.0 * h * h)

    information = np.array([[second(a, b) for b in axes] for a in axes])
    errors = flat_errors(fit)
    np.testing.assert_allclose(errors[free], np.sqrt(np.diag(np.linalg.inv(information))), rtol=2e-3)
    np.testing.assert_array_equal(errors[~free], 0.0)
    # what is known makes the rest no less certain
    assert (errors[free] <= flat_errors(whole)[free] * (1.0 + 1e-6)).all()
    assert fit.aic() == pytest.approx(2 * free.sum() - 2 * fit.loglik_)
    assert 0.0 < fit.em_rate_ < 1.0


def test_fixed_mixing_weights_of_a_constant_gate():
    X, y = data("gaussian")
    fixed = {"gate_intercept": np.log([3.0, 1.0])}
    fit = estimator("gaussian", gate="constant", fixed=fixed).fit(X, y)
    np.testing.assert_allclose(fit.gate_proba(X[:3]), [[0.75, 0.25]] * 3, rtol=1e-12)
    assert fit.aic() == pytest.approx(2 * 6 - 2 * fit.loglik_)
    # a fit's own attributes, zeros for what it does not have among them, can be held
    reported = {"gate_coef": fit.gate_coef_, "gate_intercept": fit.gate_intercept_}
    again = estimator("gaussian", gate="constant", fixed=reported).fit(X, y)
    assert again.loglik_ == pytest.approx(fit.loglik_, rel=1e-12)


def test_units_do_not_matter():
    X, y = data("gaussian")
    fixed = held(estimator("gaussian").fit(X, y), GATE)
    fit = estimator("gaussian", fixed=fixed).fit(X, y)
    moved = {"gate_coef": fixed["gate_coef"] / 1e4}
    moved["gate_intercept"] = fixed["gate_intercept"] + 7e5 * moved["gate_coef"][:, 0]
    again = estimator("gaussian", fixed=moved).fit(1e4 * X - 7e5, y)
    assert again.loglik_ == pytest.approx(fit.loglik_, rel=1e-8)


def labelled(n=600):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((n, 2))
    u = np.where(rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * X[:, 1])), 2.5 * X[:, 0], -2.5 * X[:, 0])
    return X, np.array(["low", "mid", "top"])[np.digitize(u + rng.logistic(size=n), [-1.0, 1.0])]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("part", [GATE, EXPERTS[:2]], ids=["gate", "experts"])
def test_the_classifier_holds_values_too(classes, part):
    X, y = labelled()
    y = y if classes == 3 else np.where(y == "top", "top", "rest")
    whole = emmd.MixtureOfExpertsClassifier(random_state=0, n_init=2).fit(X, y)
    fit = emmd.MixtureOfExpertsClassifier(random_state=0, n_init=4, fixed=held(whole, part, 0.0)).fit(X, y)
    assert fit.loglik_ == pytest.approx(whole.loglik_, rel=1e-7)
    np.testing.assert_allclose(fit.predict_proba(X), whole.predict_proba(X), atol=1e-4)
    for name in part:
        np.testing.assert_array_equal(fit.standard_errors_[name], 0.0)


def test_features_of_their_own():
    """Experts that see the first column and a gate that sees the second: as with scipy, by name too."""
    import pandas as pd

    rng = np.random.default_rng(6)
    X = rng.standard_normal((300, 2)) * [2.0, 0.5] + [1.0, 5.0]
    first = rng.random(300) < 1.0 / (1.0 + np.exp(-4.0 * (X[:, 1] - 5.0)))
    y = np.where(first, 1.0 + X[:, 0], -X[:, 0]) + 0.5 * rng.standard_normal(300)
    fit = estimator("gaussian", expert_features=[0], gate_features=[1]).fit(X, y)
    assert fit.converged_
    np.testing.assert_array_equal(fit.coef_[:, 1], 0.0)
    np.testing.assert_array_equal(fit.gate_coef_[:, 0], 0.0)
    np.testing.assert_array_equal(fit.standard_errors_["coef"][:, 1], 0.0)
    assert fit.aic() == pytest.approx(2 * 8 - 2 * fit.loglik_)
    free = np.array([True, False, True] * 2 + [True] * 2 + [False, True, True])
    flat = flat_parameters(fit)

    def objective(u):
        point = flat.copy()
        point[free] = u
        return -loglik(point, "gaussian", X, y, 2)

    polished = minimize(objective, flat[free], method="BFGS")
    assert fit.loglik_ >= -polished.fun - 1e-7
    gate = np.exp(X @ fit.gate_coef_.T + fit.gate_intercept_)
    means = X @ fit.coef_.T + fit.intercept_
    expected = (gate * means).sum(axis=1) / gate.sum(axis=1)
    np.testing.assert_allclose(fit.predict(X), expected, rtol=1e-10, atol=1e-12)
    assert fit.log_density(X, y).sum() == pytest.approx(fit.loglik_, rel=1e-12)
    frame = pd.DataFrame(X, columns=["speed", "heat"])
    named = estimator("gaussian", expert_features=["speed"], gate_features=["heat"]).fit(frame, y)
    np.testing.assert_array_equal(named.coef_, fit.coef_)


def test_a_column_that_only_the_gate_uses_is_not_lost_to_one_of_the_experts():
    X, y = data("gaussian")
    twice = np.column_stack([X, 2.0 * X + 1.0])
    plain = estimator("gaussian").fit(X, y)
    fit = estimator("gaussian", expert_features=[0], gate_features=[1]).fit(twice, y)
    assert fit.converged_
    assert fit.loglik_ == pytest.approx(plain.loglik_, rel=1e-9)
    np.testing.assert_allclose(fit.gate_coef_[:, 1] * 2.0, plain.gate_coef_[:, 0], rtol=1e-5)


def test_clone_file_and_grid(tmp_path):
    from sklearn.model_selection import GridSearchCV

    X, y = data("gaussian")
    fixed = held(estimator("gaussian").fit(X, y), GATE)
    fit = estimator("gaussian", fixed=fixed, gate_features=[0]).fit(X, y)
    again = clone(fit).fit(X, y)
    np.testing.assert_array_equal(again.coef_, fit.coef_)
    emmd.save_model(fit, tmp_path / "model.json")
    loaded = emmd.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.predict(X), fit.predict(X))
    assert loaded.aic() == fit.aic()
    np.testing.assert_array_equal(loaded.fixed["gate_coef"], fixed["gate_coef"])
    json.loads((tmp_path / "model.json").read_text())
    search = GridSearchCV(estimator("gaussian", n_init=1), {"fixed": [None, fixed]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.0


X, Y = data("gaussian")
BAD = [
    ({"fixed": 3}, "fixed must be a dict of parameters by name or None, got 3"),
    ({"fixed": {"gate": 1}}, "fixed must hold gate_coef and gate_intercept of the gate, or coef, intercept"),
    ({"fixed": {"gate_coef": np.zeros((2, 1))}}, "fixed must hold gate_coef and gate_intercept"),
    (
        {"fixed": {"gate_coef": np.zeros((3, 1)), "gate_intercept": [0.0, 0.0]}},
        "gate_coef must have shape (2, 1)",
    ),
    ({"fixed": {"gate_coef": [[np.nan], [0.0]], "gate_intercept": [0.0, 0.0]}}, "gate_coef must be finite"),
    (
        {"fixed": {"coef": [[1.0], [2.0]], "intercept": [0.0, 0.0]}},
        "coef, intercept, dispersion of the experts",
    ),
    (
        {"fixed": {"coef": [[1.0], [2.0]], "intercept": [0.0, 0.0], "dispersion": [0.0, 1.0]}},
        "fixed dispersion must be positive, got 0",
    ),
    ({"gate_features": [1]}, "gate_features must hold distinct columns from 0 to 0, got [1]"),
    ({"expert_features": []}, "expert_features must hold distinct columns"),
    ({"expert_features": ["x"]}, "expert_features must hold distinct columns"),
    ({"expert_features": "x"}, "expert_features must be a list of columns or None, got 'x'"),
    ({"gate": "constant", "gate_features": [0]}, "gate_features must be None for gate='constant'"),
    (
        {"gate": "constant", "fixed": {"gate_coef": [[1.0], [0.0]], "gate_intercept": [0.0, 0.0]}},
        "fixed must hold gate_intercept of the gate",
    ),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_bad_input(options, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        estimator("gaussian", **options).fit(X, Y)
    assert says in str(caught.value)


def test_fixed_values_of_dependent_and_of_constant_columns():
    """Dependent columns have the values that are given; a constant one is part of the intercept."""
    wide = np.column_stack([X, X + 1.0])
    fixed = {"gate_coef": [[0.0, 1.0], [0.0, 0.0]], "gate_intercept": [0.0, 0.0]}
    one = estimator("gaussian", fixed=fixed, expert_features=[0]).fit(wide, Y)
    np.testing.assert_array_equal(one.gate_coef_, fixed["gate_coef"])
    other = {"gate_coef": [[1.0], [0.0]], "gate_intercept": [1.0, 0.0]}
    assert one.loglik_ == pytest.approx(estimator("gaussian", fixed=other).fit(X, Y).loglik_, rel=1e-9)
    wide[:, 1] = 1.0
    with pytest.raises(
        ValueError, match=r"gate_coef must be 0 for columns that the gate does not use.*\[1\]"
    ):
        estimator("gaussian", fixed=fixed).fit(wide, Y)
