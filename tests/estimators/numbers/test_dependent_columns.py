"""Linearly dependent columns: the fit is that of the others, and the coefficients are those of least norm."""

import warnings

import numpy as np
import pandas as pd
import pytest

import emmd

RNG = np.random.default_rng(0)
N = 240
SITE = RNG.integers(0, 3, N)
LOAD = 3.0 * RNG.standard_normal(N) + 50.0
FIRST = RNG.random(N) < 0.5
Y = np.array([1.0, 3.0, -2.0])[SITE] + np.where(FIRST, 0.5, -0.5) * (LOAD - 45.0) + RNG.standard_normal(N)
TABLE = pd.DataFrame({f"site = {name}": np.equal(SITE, k) * 1.0 for k, name in enumerate("abc")})
TABLE.insert(1, "load [$N$]", LOAD)
DUMMIES = ["site = a", "site = b", "site = c"]


def fit(features, K=2, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return emmd.MixtureOfExpertsRegressor(K, n_init=2, random_state=0, **options).fit(features, Y)


@pytest.fixture(scope="module")
def whole():
    return fit(TABLE)


@pytest.fixture(scope="module")
def reduced():
    return fit(TABLE.drop(columns="site = c"))


def test_the_fit_is_that_of_the_other_columns(whole, reduced):
    assert whole.converged_
    assert whole.n_params_ == reduced.n_params_
    assert whole.loglik_ == pytest.approx(reduced.loglik_, rel=1e-12)
    fewer = TABLE.drop(columns="site = c")
    np.testing.assert_allclose(whole.predict_experts(TABLE), reduced.predict_experts(fewer), rtol=1e-10)
    np.testing.assert_allclose(whole.gate_proba(TABLE), reduced.gate_proba(fewer), rtol=1e-10)
    # what is reported is what predicts
    linear = TABLE.to_numpy() @ whole.coef_.T + whole.intercept_
    np.testing.assert_allclose(linear, whole.predict_experts(TABLE), atol=1e-12)


def test_one_expert_has_the_pseudo_inverse_of_the_standardised_columns():
    one, Z = fit(TABLE, 1), TABLE.to_numpy()
    scale = Z.std(axis=0)
    inverse = np.linalg.pinv((Z - Z.mean(axis=0)) / scale)
    np.testing.assert_allclose(one.coef_[0], inverse @ Y / scale, rtol=1e-11)
    rest = Y - one.predict(TABLE)
    deviations = np.sqrt(rest @ rest / N * np.diag(inverse @ inverse.T)) / scale
    np.testing.assert_allclose(one.standard_errors_["coef"][0], deviations, rtol=1e-9)


def test_neither_order_nor_units_of_the_columns_matter(whole):
    order, units = [3, 1, 0, 2], np.array([1e3, 1e-3, 7.0, 1.0])
    other = fit((TABLE.iloc[:, order] * units).to_numpy())
    np.testing.assert_allclose(other.coef_ * units, whole.coef_[:, order], rtol=1e-7)
    np.testing.assert_allclose(other.gate_coef_ * units, whole.gate_coef_[:, order], rtol=1e-6, atol=1e-8)
    # a site that was not there: no dummy is 1, and the columns are not dependent
    unknown = TABLE.assign(**dict.fromkeys(DUMMIES, 0.0))[:5]
    found = other.predict((unknown.iloc[:, order] * units).to_numpy())
    np.testing.assert_allclose(found, whole.predict(unknown), rtol=1e-7)


def test_what_the_data_tell_has_the_errors_that_it_has_without_them(whole, reduced):
    table, plain = whole.summary(), reduced.summary()
    remarks = table["remark"].xs("expert 1")
    assert remarks.index[remarks == "minimum norm"].tolist() == [*DUMMIES, "intercept"]
    told = [("expert 1", "load [$N$]"), ("expert 2", "variance"), ("gate 1", "load [$N$]")]
    columns = ["estimate", "standard error"]
    np.testing.assert_allclose(table.loc[told, columns], plain.loc[told, columns], rtol=1e-7)
    difference = pd.Series(0.0, whole.covariance_.index)
    difference[("expert 1", "site = b")], difference[("expert 1", "site = a")] = 1.0, -1.0
    variances = [
        difference[covariance.index] @ covariance @ difference[covariance.index]
        for covariance in (whole.covariance_, reduced.covariance_)
    ]
    assert variances[0] == pytest.approx(variances[1], rel=1e-7)


def test_columns_are_named_and_the_fit_is_no_failure():
    model = emmd.MixtureOfExpertsRegressor(1)
    with pytest.warns(UserWarning, match="of X are") as told:
        model.fit(TABLE.assign(one=7.0), Y)
    assert model.status_ is emmd.Status.CONVERGED
    said = [str(warning.message) for warning in told]
    assert said == model.column_messages_
    assert "Columns ['site = a', 'site = b', 'site = c'] of X are linearly dependent" in said[0]
    assert "Columns ['one'] of X are constant" in said[1]
    assert all(sentence in model.message_ for sentence in said)
    # twice a column is no other line through 0: the intercept is told
    remarks = fit(np.column_stack([LOAD, 2.0 * LOAD]), 1).summary()["remark"].xs("expert 1")
    assert remarks.tolist() == ["minimum norm", "minimum norm", "", ""]


@pytest.mark.parametrize("n", [40, 49, 107])
def test_no_value_of_a_dummy_counts_as_a_code_for_a_missing_one(n):
    yes = np.arange(n) % 7 < 3
    with pytest.warns(UserWarning, match="linearly dependent"):
        one = emmd.MixtureOfExpertsRegressor(1).fit(np.column_stack([yes, ~yes]), np.sin(np.arange(n)))
    assert one.converged_
    assert one.coef_[0, 0] == pytest.approx(-one.coef_[0, 1], rel=1e-12)


def test_a_model_file_and_a_warm_start_keep_the_coefficients(whole, tmp_path):
    emmd.save_model(whole, tmp_path / "model.json")
    again = emmd.load_model(tmp_path / "model.json")
    np.testing.assert_array_equal(again.predict(TABLE), whole.predict(TABLE))
    pd.testing.assert_frame_equal(again.summary(), whole.summary())
    again.set_params(warm_start=True)
    with pytest.warns(UserWarning, match="linearly dependent"):
        again.fit(TABLE, Y)
    assert again.n_iter_ <= 2
    np.testing.assert_allclose(again.coef_, whole.coef_, rtol=1e-6)


def test_bootstrap_and_profile_are_of_the_reported_coefficients(whole):
    drawn = whole.bootstrap(TABLE, Y, n_resamples=2, random_state=0)
    at = ("expert 1", "site = a")
    assert drawn.estimate[at] == pytest.approx(whole.coef_[0, 0], rel=1e-12)
    spread = TABLE[DUMMIES].std(ddof=0).to_numpy() ** 2
    sums = drawn.estimates["expert 1"][DUMMIES] @ spread
    np.testing.assert_allclose(sums, 0.0, atol=1e-10)
    lower, upper = whole.profile_interval(TABLE, Y, at)
    wald = whole.summary().loc[at]
    np.testing.assert_allclose([lower, upper], wald[["lower", "upper"]].astype(float), atol=0.05)
