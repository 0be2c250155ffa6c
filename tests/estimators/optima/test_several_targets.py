"""Gaussian experts of several targets against scipy's densities and a direct optimiser."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import multivariate_normal

import emmd


def drawn(n=250):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 1))
    first = rng.random((n, 1)) < expit(X)
    noise = rng.standard_normal((n, 2)) @ np.linalg.cholesky([[0.5, 0.3], [0.3, 0.4]]).T
    Y = np.where(first, X * [1.0, 2.0], 2.0 - X * [1.0, 0.5]) + noise
    return pd.DataFrame(X, columns=["dose [mg]"]), pd.DataFrame(
        Y * [1.0, 300.0] + [0.0, 1e3], columns=["u", "v $"]
    )


@pytest.fixture(scope="module")
def fit():
    X, Y = drawn()
    return emmd.MixtureOfExpertsRegressor(2, n_init=3, random_state=0).fit(X, Y), X, Y


def loglik(flat, X, Y):
    """Return the log-likelihood of intercepts, slopes, Cholesky factors of covariances, and the gate."""
    p = expit(flat[14] + flat[15] * X[:, 0])
    density = 0.0
    for k, share in enumerate((p, 1.0 - p)):
        a, b, factor = flat[7 * k : 7 * k + 2], flat[7 * k + 2 : 7 * k + 4], flat[7 * k + 4 : 7 * k + 7]
        root = np.array([[np.exp(factor[0]), 0.0], [factor[1], np.exp(factor[2])]])
        density = density + share * multivariate_normal(cov=root @ root.T).pdf(Y - a - X * b)
    return np.log(density).sum()


def flat(fit, unit):
    """Return the fitted parameters for targets divided by `unit`."""
    parts = []
    for k in (0, 1):
        root = np.linalg.cholesky(fit.dispersion_[k] / np.outer(unit, unit))
        factor = [np.log(root[0, 0]), root[1, 0], np.log(root[1, 1])]
        parts += [*(fit.intercept_[k] / unit), *(fit.coef_[k, :, 0] / unit), *factor]
    return np.array([*parts, fit.gate_intercept_[0], fit.gate_coef_[0, 0]])


def test_a_direct_optimiser_finds_no_more(fit):
    fit, X, Y = fit
    assert fit.converged_
    unit = Y.std().to_numpy()
    X, Z = X.to_numpy(), Y.to_numpy() / unit
    here = flat(fit, unit)
    size = len(Z) * np.log(unit).sum()
    assert loglik(here, X, Z) - size == pytest.approx(fit.loglik_, rel=1e-11)
    away = here + 0.05 * np.random.default_rng(1).standard_normal(16)
    found = minimize(lambda p: -loglik(p, X, Z), away, method="BFGS", options={"gtol": 1e-5})
    assert -found.fun - size == pytest.approx(fit.loglik_, rel=1e-8)
    np.testing.assert_allclose(found.x, here, atol=1e-4)


def test_standard_errors_are_those_of_the_likelihood(fit):
    fit, X, Y = fit
    unit = Y.std().to_numpy()
    X, Z, here, h = X.to_numpy(), Y.to_numpy() / unit, flat(fit, unit), 1e-3

    def second(a, b):
        terms = [s * t * loglik(here + s * a + t * b, X, Z) for s in (1, -1) for t in (1, -1)]
        return -sum(terms) / (4.0 * h * h)

    steps = h * np.eye(16)
    spread = np.linalg.inv([[second(a, b) for b in steps] for a in steps])
    deviations = np.sqrt(np.diag(spread))
    np.testing.assert_allclose(fit.standard_errors_["coef"][0, :, 0], deviations[2:4] * unit, rtol=1e-3)
    # the covariance is a product of Cholesky factors
    first, below = np.exp(here[4]), here[5]
    slope = np.zeros(16)
    slope[4:6] = first * below, first
    expected = np.sqrt(slope @ spread @ slope) * unit[0] * unit[1]
    np.testing.assert_allclose(fit.standard_errors_["dispersion"][0, 1, 0], expected, rtol=1e-3)


def test_the_unit_of_a_target_changes_no_more_than_it_must(fit):
    fit, X, Y = fit
    other = emmd.MixtureOfExpertsRegressor(2, n_init=3, random_state=0).fit(X, Y.to_numpy() * [1.0, 0.01])
    assert other.loglik_ == pytest.approx(fit.loglik_ - len(Y) * np.log(0.01), rel=1e-9)
    np.testing.assert_allclose(other.dispersion_, fit.dispersion_ * [[1.0, 0.01], [0.01, 1e-4]], rtol=1e-5)
    assert other.target_names_.tolist() == ["y0", "y1"]


def test_predictions_names_and_files(fit, tmp_path):
    fit, X, Y = fit
    assert fit.predict(X).shape == fit.sample(X, 0).shape == Y.shape
    np.testing.assert_allclose(
        fit.predict(X), np.einsum("nk,nkm->nm", fit.gate_proba(X), fit.predict_experts(X)), rtol=1e-12
    )
    assert fit.log_density(X, Y).sum() == pytest.approx(fit.loglik_, rel=1e-11)
    names = [name for part, name in fit.summary().index if part == "expert 1"]
    assert names == ["variance u", "variance v $", "covariance v $, u"]
    assert fit.covariance_.shape == (16, 16)
    emmd.save_model(fit, tmp_path / "model.json")
    again = emmd.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(again.predict(X), fit.predict(X))
    assert again.summary().equals(fit.summary())


def test_fixed_experts_and_warm_starts_stay_where_they_were(fit):
    fit, X, Y = fit
    held = {"coef": fit.coef_, "intercept": fit.intercept_, "dispersion": fit.dispersion_}
    gate = emmd.MixtureOfExpertsRegressor(2, n_init=1, fixed=held, random_state=0).fit(X, Y)
    np.testing.assert_allclose(gate.dispersion_, fit.dispersion_, rtol=1e-9)
    np.testing.assert_allclose(gate.gate_coef_, fit.gate_coef_, atol=1e-5)


def test_a_target_is_drawn_by_its_name(fit):
    fit, X, Y = fit
    display = emmd.ExpertsDisplay.from_estimator(fit, X, Y, target="v $")
    assert display.ax_.get_ylabel() == r"mean of v \$"
    points = display.ax_.collections[0].get_offsets()
    np.testing.assert_array_equal(points, np.column_stack([X, Y["v $"]]))
    grid = pd.DataFrame({"dose [mg]": display.values})
    np.testing.assert_array_equal(display.experts, fit.predict_experts(grid)[..., 1])


def test_what_takes_one_target_says_so(fit):
    fit, X, Y = fit
    with pytest.raises(ValueError, match="y must be one target for a distribution function, got a fit to 2"):
        fit.predict_quantile(X, 0.5)
    for options in ({"variance": "shared"}, {"family": "poisson"}):
        with pytest.raises(
            ValueError, match="y must hold one target, got 2 columns: several need a regressor of family"
        ):
            emmd.MixtureOfExpertsRegressor(2, **options).fit(X, Y)
    with pytest.raises(ValueError, match="expert_ridge must be 0 for family 'multivariate_gaussian'"):
        emmd.MixtureOfExpertsRegressor(2, expert_ridge=0.1).fit(X, Y)
    with pytest.raises(ValueError, match=r"y must have shape \(250, 2\) as in fit, got \(250,\)"):
        fit.log_density(X, Y["u"])
