"""One expert is a regression; several come in an order that no seed and no unit changes."""

import numpy as np
import pytest

import emmd


def data(n=300):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 2))
    small = rng.random(n) < 0.3
    return X, np.where(small, 1.0 + 2.0 * X[:, 0], -X[:, 0]) + 0.3 * rng.standard_normal(n)


@pytest.mark.parametrize("gate", ["softmax", "constant"])
def test_one_gaussian_expert_is_least_squares(gate):
    X, y = data()
    fit = emmd.MixtureOfExpertsRegressor(1, gate=gate, random_state=0).fit(X, y)
    Z = np.column_stack([X, np.ones(len(y))])
    beta, square = np.linalg.lstsq(Z, y)[:2]
    variance = square[0] / len(y)
    np.testing.assert_allclose([*fit.coef_[0], fit.intercept_[0]], beta, rtol=1e-10)
    assert fit.dispersion_[0] == pytest.approx(variance, rel=1e-12)
    assert fit.loglik_ == pytest.approx(-0.5 * len(y) * (np.log(2 * np.pi * variance) + 1.0), rel=1e-12)
    deviations = np.sqrt(variance * np.diag(np.linalg.inv(Z.T @ Z)))
    errors = fit.standard_errors_
    np.testing.assert_allclose([*errors["coef"][0], errors["intercept"][0]], deviations, rtol=1e-8)
    assert (fit.gate_coef_ == 0.0).all()
    assert len(fit.starts_) == 1
    assert fit.aic() == pytest.approx(2 * 4 - 2 * fit.loglik_)
    np.testing.assert_array_equal(fit.responsibilities(X, y), np.ones((len(y), 1)))


def test_one_expert_of_labels_is_logistic_regression():
    X, y = data()
    labels = y > np.random.default_rng(1).logistic(size=len(y))
    fit = emmd.MixtureOfExpertsClassifier(1).fit(X, labels)
    p = fit.predict_proba(X)[:, 1]
    np.testing.assert_allclose(X.T @ (labels - p), 0.0, atol=1e-9)
    assert fit.loglik_ == pytest.approx(np.log(np.where(labels, p, 1.0 - p)).sum())


@pytest.mark.parametrize("options", [{}, {"gate": "constant"}, {"variance": "shared"}])
def test_seeds_and_units_do_not_permute_the_experts(options):
    X, y = data()
    fits = [
        emmd.MixtureOfExpertsRegressor(n_init=2, random_state=seed, **options).fit(X, y) for seed in range(3)
    ]
    for other in fits[1:]:
        np.testing.assert_allclose(other.coef_, fits[0].coef_, rtol=1e-4, atol=1e-4)
    assert fits[0].responsibilities(X, y).mean(axis=0)[0] > 0.5
    flipped = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0, **options).fit(-7.0 * X, -2.0 * y)
    np.testing.assert_allclose(flipped.coef_, 2.0 / 7.0 * fits[0].coef_, rtol=1e-4, atol=1e-4)
