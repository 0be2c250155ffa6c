"""Ridge and prior on the estimators: in standardised units, likelihoods reported without penalties."""

import numpy as np
import pytest

import emmd
from tests.estimators.optima.plain import flat_parameters, loglik
from tests.estimators.optima.test_likelihood import data, estimator


@pytest.mark.parametrize("options", [{"expert_ridge": 0.1, "gate_ridge": 0.05}, {"prior_strength": 0.2}])
@pytest.mark.parametrize("family", ["gaussian", "gamma", "poisson"])
def test_penalties_shrink_and_the_likelihood_is_reported_without_them(family, options):
    X, y = data(family)
    plain = estimator(family).fit(X, y)
    fit = estimator(family, **options).fit(X, y)
    assert fit.converged_
    assert np.ptp(fit.coef_) < np.ptp(plain.coef_)
    assert fit.loglik_ < plain.loglik_
    assert loglik(flat_parameters(fit), family, X, y, 2) == pytest.approx(fit.loglik_, rel=1e-10)
    assert fit.trace_[-1] < fit.loglik_
    assert (np.diff(fit.trace_) > -1e-9 * abs(fit.loglik_)).all()
    assert "penalised" in fit.standard_errors_message_
    assert (np.diff([fit.em_rate_, 1.0]) > 0).all()
    moved = estimator(family, **options).fit(1e4 * X - 7e5, y)
    assert moved.loglik_ == pytest.approx(fit.loglik_, rel=1e-8)


def test_the_ridge_leaves_intercepts_alone():
    X, y = data("gaussian")
    fit = estimator("gaussian", expert_ridge=1e6, gate_ridge=1e6, variance="shared", n_init=1).fit(X, y + 1e3)
    np.testing.assert_allclose(fit.coef_, 0.0, atol=1e-5)
    np.testing.assert_allclose(fit.intercept_.mean(), 1e3, rtol=0.01)


def test_separable_classes_have_an_optimum_under_a_prior():
    X = data("gaussian")[0]
    labels = np.where(X[:, 0] > 3.0, "yes", "no")
    fit = emmd.MixtureOfExpertsClassifier(prior_strength=0.05, random_state=0).fit(X, labels)
    assert fit.converged_
    assert fit.score(X, labels) > 0.95


def test_a_prior_keeps_an_exact_fit_from_collapsing():
    line = np.arange(12.0)[:, None]
    y = np.where(line[:, 0] < 6, line[:, 0], 20.0 - 2.0 * line[:, 0])
    fit = emmd.MixtureOfExpertsRegressor(prior_strength=0.1, random_state=0).fit(line, y)
    assert fit.status_ in (emmd.Status.CONVERGED, emmd.Status.ITERATION_LIMIT)
    assert (fit.dispersion_ > 1e-3).all()


@pytest.mark.parametrize("name", ["expert_ridge", "gate_ridge", "prior_strength"])
def test_bad_input(name):
    X, y = data("gaussian")
    with pytest.raises(ValueError, match=f"{name} must not be negative, got -1.0"):
        estimator("gaussian", **{name: -1.0}).fit(X, y)
    with pytest.raises(TypeError, match=f"{name} must be a real number"):
        estimator("gaussian", **{name: "much"}).fit(X, y)
