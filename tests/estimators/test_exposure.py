"""Exposures: counts per unit of time or area."""

import numpy as np
import pandas as pd
import pytest

import emmd

FAMILIES = ("poisson", "negative_binomial", "zero_inflated_poisson", "gamma")


def counts(family, n=200):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.standard_normal(n), "years [a]": rng.uniform(0.5, 20.0, n)})
    mean = table["years [a]"] * np.exp(np.where(rng.random(n) < 0.5, 1.5 + 0.3 * table["x"], -1.0))
    if family == "gamma":
        return table, rng.gamma(20.0, mean / 20.0)
    if family == "negative_binomial":
        return table, rng.poisson(mean * rng.gamma(5.0, 0.2, n)).astype(float)
    return table, rng.poisson(mean) * (rng.random(n) < 0.7).astype(float)


def test_one_poisson_expert_solves_the_score_equations():
    table, y = counts("poisson")
    fit = emmd.MixtureOfExpertsRegressor(1, family="poisson", exposure="years [a]").fit(table, y)
    rate = np.exp(fit.intercept_[0] + fit.coef_[0, 0] * table["x"])
    rest = y - table["years [a]"] * rate
    np.testing.assert_allclose([rest.sum(), rest @ table["x"]], 0.0, atol=1e-8 * y.sum())
    assert fit.coef_[0, 1] == 0.0
    assert fit.summary().index.tolist() == [("expert 1", "x"), ("expert 1", "intercept")]
    np.testing.assert_allclose(fit.predict(table), table["years [a]"] * rate)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_unit_of_exposure_moves_the_intercepts_alone(family, tmp_path):
    table, y = counts(family)
    # under one gate for all rows nothing tells whose the other zeros are
    K = 1 if family == "zero_inflated_poisson" else 2
    options = {
        "n_experts": K,
        "family": family,
        "exposure": "years [a]",
        "gate": "constant",
        # one start alone may end at a saddle, and says so
        "n_init": 4,
        "random_state": 0,
    }
    fit = emmd.MixtureOfExpertsRegressor(**options).fit(table, y)
    months = table.assign(**{"years [a]": 12.0 * table["years [a]"]})
    other = emmd.MixtureOfExpertsRegressor(**options).fit(months, y)
    assert other.loglik_ == pytest.approx(fit.loglik_, rel=1e-9)
    np.testing.assert_allclose(other.intercept_, fit.intercept_ - np.log(12.0), atol=1e-5)
    np.testing.assert_allclose(other.predict(months), fit.predict(table), rtol=1e-5)
    emmd.save_model(fit, tmp_path / "model.json")
    again = emmd.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(again.predict_quantile(table, 0.9), fit.predict_quantile(table, 0.9))
    assert fit.bootstrap(table, y, 3, random_state=0).failed == {}


def test_exposures_that_cannot_be_are_refused():
    table, y = counts("poisson")
    model = emmd.MixtureOfExpertsRegressor(1, family="poisson", exposure=1)
    table.iloc[3, 1] = 0.0
    with pytest.raises(ValueError, match="X must hold positive exposures in column 1, got 0 in row 3"):
        model.fit(table, y)
    with pytest.raises(ValueError, match="exposure must hold distinct columns"):
        model.set_params(exposure="days").fit(table, y)
    with pytest.raises(ValueError, match="exposure must be None for family 'gaussian'"):
        emmd.MixtureOfExpertsRegressor(1, exposure=0).fit(table + 5.0, y)
    with pytest.raises(ValueError, match="offset_column must be None for family gaussian"):
        emmd.MixtureOfExperts(2, 2, offset_column=0)


def test_large_poisson_experts_take_exposures_too():
    rng = np.random.default_rng(0)
    X, e = 0.1 * rng.standard_normal((300, 100)), rng.uniform(1.0, 9.0, 300)
    y = rng.poisson(e * np.exp(X[:, 0])).astype(float)
    fit = emmd.MixtureOfExpertsRegressor(1, family="poisson", exposure=100).fit(np.column_stack([X, e]), y)
    rest = y - fit.predict(np.column_stack([X, e]))
    np.testing.assert_allclose(X.T @ rest, 0.0, atol=1e-8 * y.sum())
