"""Quantiles invert the mixture's distribution function; residuals are normal where the mixture is right."""

import numpy as np
import pytest
from scipy import stats

import emmd

LEVELS = [1e-6, 0.025, 0.5, 0.9, 0.9999]


def drawn(family, n=200):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 1))
    mean = np.exp(np.where(rng.random(n) < 0.5, 2.0 + 0.4 * X[:, 0], 0.3 - 0.3 * X[:, 0]))
    y = {
        "gaussian": rng.normal,
        "poisson": lambda m, s: rng.poisson(m),
        "gamma": lambda m, s: rng.gamma(9, m / 9),
    }
    return X, y[family](mean, 0.3).astype(float)


@pytest.fixture(scope="module", params=["gaussian", "gamma", "poisson"])
def fit(request):
    X, y = drawn(request.param)
    return (
        emmd.MixtureOfExpertsRegressor(family=request.param, gate="constant", n_init=1, random_state=0).fit(
            X, y
        ),
        X,
        y,
    )


def test_the_distribution_is_that_of_the_reported_parameters(fit):
    fit, X, y = fit
    means = fit.predict_experts(X)
    laws = {
        "gaussian": lambda k: stats.norm(means[:, k], np.sqrt(fit.dispersion_[k])),
        "poisson": lambda k: stats.poisson(means[:, k]),
        "gamma": lambda k: stats.gamma(fit.dispersion_[k], scale=means[:, k] / fit.dispersion_[k]),
    }
    law = laws[fit.family]
    expected = sum(fit.gate_proba(X)[:, k] * law(k).cdf(y) for k in range(2))
    np.testing.assert_allclose(fit.predict_cdf(X, y), expected, rtol=1e-9, atol=1e-14)


def test_quantiles_invert_it(fit):
    fit, X, _ = fit
    found = fit.predict_quantile(X, LEVELS)
    assert (np.diff(found, axis=1) >= 0).all()
    for level, values in zip(LEVELS, found.T):
        reached = fit.predict_cdf(X, values)
        if fit.family == "poisson":
            assert (reached >= level).all()
            assert (fit.predict_cdf(X, values - 1.0) < level).all()
        else:
            np.testing.assert_allclose(reached, level, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(fit.predict_quantile(X, 0.9), found[:, 3])
    np.testing.assert_allclose(fit.predict_interval(X, 0.95)[:, 0], found[:, 1], rtol=1e-12, atol=1e-12)
    for level in (0.0, 1.0, -1, 2):
        with pytest.raises(ValueError, match="q must"):
            fit.predict_quantile(X, level)


def test_residuals_are_normal_where_the_mixture_is_right(fit):
    fit, X, y = fit
    residuals = fit.quantile_residuals(X, y, 0)
    assert stats.kstest(residuals, "norm").pvalue > 0.05
    np.testing.assert_array_equal(residuals, fit.quantile_residuals(X, y, 0))
    one = emmd.MixtureOfExpertsRegressor(1, family=fit.family).fit(X, y)
    assert stats.kstest(one.quantile_residuals(X, y, 0), "norm").pvalue < 0.01
