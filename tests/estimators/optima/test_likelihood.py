"""Likelihood, standard errors and rate against independent computations."""

import numpy as np
import pytest

import emmd
from tests.estimators.optima.plain import best_maximum, flat_errors, flat_parameters, loglik

FAMILIES = ["gaussian", "gamma", "poisson"]


def data(family, n=120, seed=0):
    """Draw from two experts; features far from 0 and of odd sizes, so that units matter."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    first = rng.random(n) < 1.0 / (1.0 + np.exp(-1.5 * x))
    u = np.where(first, 1.0 + 1.2 * x, 0.2 - 1.0 * x)
    y = {
        "gaussian": lambda: u + 0.3 * rng.standard_normal(n),
        "gamma": lambda: rng.gamma(20.0, np.exp(u) / 20.0),
        "poisson": lambda: rng.poisson(np.exp(u + 0.7)),
    }[family]()
    return (3.0 + 2.0 * x)[:, None], y.astype(float)


def estimator(family, **options):
    options = {"n_init": 6, "random_state": 0, "tol": 1e-10, **options}
    return emmd.MixtureOfExpertsRegressor(family=family, **options)


@pytest.mark.parametrize("family", FAMILIES)
def test_best_start_reaches_the_maximum_likelihood(family):
    X, y = data(family)
    fit = estimator(family).fit(X, y)
    assert fit.converged_
    # the reported parameters, in the user's units, have the reported likelihood
    assert loglik(flat_parameters(fit), family, X, y, 2) == pytest.approx(fit.loglik_, rel=1e-10)
    plain = best_maximum(family, (X - 3.0) / 2.0, y, 2, starts=4, seed=1)
    assert fit.loglik_ >= plain - 1e-6 * abs(plain)


@pytest.mark.parametrize("family", ["gaussian", "gamma", "poisson"])
def test_standard_errors_are_the_observed_information(family):
    X, y = data(family)
    fit = estimator(family).fit(X, y)
    flat = flat_parameters(fit)
    used = np.ones(len(flat), dtype=bool)
    used[4:6] = fit.dispersion_ is not None
    h, axes = 1e-3, np.eye(len(flat))[used]

    def second(a, b):
        signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
        terms = [s * t * loglik(flat + h * (s * a + t * b), family, X, y, 2) for s, t in signs]
        return -sum(terms) / (4.0 * h * h)

    information = np.array([[second(a, b) for b in axes] for a in axes])
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    np.testing.assert_allclose(flat_errors(fit)[used], expected, rtol=2e-3)


def test_standard_errors_agree_with_a_bootstrap():
    X, y = data("gaussian", n=400)
    fit = estimator("gaussian", tol=1e-8).fit(X, y)
    rng = np.random.default_rng(5)
    again = estimator("gaussian", tol=1e-6, warm_start=True).fit(X, y)
    draws = []
    for _ in range(200):
        # a resample given as weights, from the fit as start: experts keep their order
        again._theta = fit._theta.copy()
        again._units, again._model = fit._units, fit._model
        draws.append(flat_parameters(again.fit(X, y, rng.multinomial(400, np.full(400, 1 / 400)))))
    ratio = np.std(draws, axis=0) / flat_errors(fit)
    # 200 resamples leave about 5 % of noise, the resampling distribution itself rather more
    assert ((ratio > 0.7) & (ratio < 1.4)).all(), ratio


def test_em_rate_is_what_the_trace_shows():
    X, y = data("gaussian")
    fit = estimator("gaussian", tol=1e-6).fit(X, y)
    steps = np.diff(fit.trace_)
    # losses contract by the square of the rate of the parameters
    late = steps[(steps > 1e-8) & (steps < 1e-4)]
    assert np.sqrt(late[-1] / late[-2]) == pytest.approx(fit.em_rate_, abs=5e-3)


def test_units_do_not_matter():
    X, y = data("gaussian", n=150)
    fit = estimator("gaussian").fit(X, y)
    moved = estimator("gaussian").fit(1e4 * X - 7e5, 1e-3 * y + 50.0)
    assert moved.loglik_ == pytest.approx(fit.loglik_ - 150 * np.log(1e-3), rel=1e-9)
    np.testing.assert_allclose(moved.coef_, 1e-7 * fit.coef_, rtol=1e-5)
    np.testing.assert_allclose(moved.dispersion_, 1e-6 * fit.dispersion_, rtol=1e-5)
    np.testing.assert_allclose(moved.predict(1e4 * X - 7e5), 1e-3 * fit.predict(X) + 50.0, rtol=1e-9)
    errors, scaled = fit.standard_errors_, moved.standard_errors_
    np.testing.assert_allclose(scaled["gate_coef"], 1e-4 * errors["gate_coef"], rtol=1e-4)
    assert moved.em_rate_ == pytest.approx(fit.em_rate_, abs=1e-6)


@pytest.mark.parametrize("options", [{}, {"expert_ridge": 0.1, "gate": "constant"}, {"prior_strength": 0.2}])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_row_of_weight_two_is_the_row_twice(family, options):
    X, y = data(family)
    times = np.random.default_rng(0).integers(0, 4, len(y))
    weighted = estimator(family, n_init=3, **options).fit(X, y, times)
    repeated = estimator(family, n_init=3, **options).fit(X.repeat(times, axis=0), y.repeat(times))
    assert weighted.converged_
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-10)
    for name in ("loglik_", "em_rate_", "bic"):
        one, other = getattr(weighted, name), getattr(repeated, name)
        one, other = (one(), other()) if name == "bic" else (one, other)
        assert one == pytest.approx(other, rel=1e-10)
    for name, value in repeated.standard_errors_.items():
        if value is not None:
            np.testing.assert_allclose(weighted.standard_errors_[name], value, rtol=1e-8)


@pytest.mark.parametrize("variance", ["shared", 0.09])
def test_variances(variance):
    X, y = data("gaussian")
    fit = estimator("gaussian", variance=variance).fit(X, 10.0 * y)
    if variance == "shared":
        assert fit.dispersion_.shape == (1,)
        assert fit.dispersion_[0] == pytest.approx(9.0, rel=0.3)
        assert fit.standard_errors_["dispersion"].shape == (1,)
    else:
        assert fit.dispersion_ is None
        flat = np.concatenate([flat_parameters(fit)[:4], np.log([variance] * 2), flat_parameters(fit)[6:]])
        assert loglik(flat, "gaussian", X, 10.0 * y, 2) == pytest.approx(fit.loglik_, rel=1e-10)


def test_criteria_count_weights_and_parameters():
    X, y = data("gaussian")
    weights = np.arange(len(y)) % 3
    fit = estimator("gaussian", n_init=2).fit(X, y, weights)
    assert fit.aic() == pytest.approx(2 * 8 - 2 * fit.loglik_)
    assert fit.bic() == pytest.approx(8 * np.log(weights.sum()) - 2 * fit.loglik_)
    assert fit.loglik_ == pytest.approx(weights @ fit.log_density(X, y), rel=1e-10)
    repeated = fit.aic(X.repeat(weights, axis=0), y.repeat(weights))
    assert repeated == pytest.approx(fit.aic(), rel=1e-10)
    # without features the gate has one parameter
    constant = estimator("gaussian", gate="constant", n_init=1).fit(X, y)
    assert constant.aic() == pytest.approx(2 * 7 - 2 * constant.loglik_)
