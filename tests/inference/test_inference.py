"""Covariances, intervals and resamples against closed forms, and against each other."""

import numpy as np
import pytest
from scipy.special import chdtri

import emmd


def plain(regression):
    """Return the design, the residuals and the inverse second moment of least squares."""
    _, X, y = regression
    Z = np.column_stack([X, np.ones(len(y))])
    beta = np.linalg.lstsq(Z, y)[0]
    return Z, beta, y - Z @ beta, np.linalg.inv(Z.T @ Z)


def test_the_summary_has_the_users_names_and_says_what_is_not_estimated(regression, mixture):
    fit, _, _ = regression
    table = fit.summary()
    assert table.index.tolist() == [
        ("expert 1", term) for term in ("load [$N$]", "b", "intercept", "variance")
    ]
    _, beta, rest, inverse = plain(regression)
    deviation = np.sqrt(rest @ rest / len(rest) * np.diag(inverse))
    np.testing.assert_allclose(table["standard error"].iloc[:3], deviation, rtol=1e-8)
    np.testing.assert_allclose(table["upper"].iloc[:3], beta + 1.959963984540054 * deviation, rtol=1e-8)
    # a variance has an interval that cannot reach 0, and no z
    estimate, error = table.loc[("expert 1", "variance"), ["estimate", "standard error"]]
    assert table["lower"].iloc[3] == pytest.approx(estimate * np.exp(-1.959963984540054 * error / estimate))
    assert np.isnan(table["z"].iloc[3])
    reference = mixture[0].summary().loc[("gate 2", "")]
    assert reference["remark"] == "reference"
    assert np.isnan(reference["estimate"])


def test_what_is_fixed_or_left_out_is_said(mixture):
    fit, X, y = mixture
    gate = {"gate_coef": fit.gate_coef_, "gate_intercept": fit.gate_intercept_}
    more = np.column_stack([X, np.ones(len(y))])
    with pytest.warns(UserWarning, match=r"\[1\] of X are constant"):
        held = emmd.MixtureOfExpertsRegressor(gate_features=[0], n_init=1, random_state=0).fit(more, y)
    assert (held.summary().xs("x1", level="term")["remark"] == "left out").all()
    held = emmd.MixtureOfExpertsRegressor(fixed=gate, n_init=1, random_state=0).fit(X, y)
    table = held.summary()
    assert set(table.loc["gate 1", "remark"]) == {"fixed"}
    assert len(held.covariance_) == 6 == (table["remark"] == "").sum()


def test_the_covariance_is_that_of_the_named_parameters(mixture):
    fit, _, _ = mixture
    table, errors = fit.covariance_, fit.standard_errors_
    assert table.index.equals(table.columns)
    diagonal = np.sqrt(np.diag(table))
    np.testing.assert_allclose(diagonal[[0, 3]], errors["coef"][:, 0], rtol=1e-12)
    np.testing.assert_allclose(diagonal[[2, 5]], errors["dispersion"], rtol=1e-12)
    # what is far from 0 in units of x: intercept and slope are tied by the mean of x
    moved = emmd.MixtureOfExpertsRegressor(n_init=2, random_state=0).fit(mixture[1] + 10.0, mixture[2])
    other = moved.covariance_
    expected = table.iloc[1, 1] - 20.0 * table.iloc[0, 1] + 100.0 * table.iloc[0, 0]
    assert other.iloc[1, 1] == pytest.approx(expected, rel=1e-6)


def test_the_sandwich_of_least_squares(regression):
    fit, X, y = regression
    Z, _, rest, inverse = plain(regression)
    white = inverse @ (Z.T * rest**2) @ Z @ inverse
    np.testing.assert_allclose(fit.robust_covariance(X, y).iloc[:3, :3], white, rtol=1e-7, atol=1e-12)
    groups = np.arange(len(y)) // 5
    sums = np.array([Z[groups == g].T @ rest[groups == g] for g in range(30)])
    clustered = inverse @ sums.T @ sums @ inverse
    robust = fit.robust_covariance(X, y, groups=[f"s{g}" for g in groups])
    np.testing.assert_allclose(robust.iloc[:3, :3], clustered, rtol=1e-7, atol=1e-12)
    twice = fit.robust_covariance(X, y, np.full(len(y), 2.0))
    np.testing.assert_allclose(2.0 * twice.iloc[:3, :3], 4.0 * white, rtol=1e-7, atol=1e-12)
    with pytest.raises(ValueError, match=r"a label for each of 150 rows .* got 2"):
        fit.robust_covariance(X, y, groups=[1, 2])


def test_the_profile_of_least_squares(regression):
    fit, X, y = regression
    _, beta, rest, inverse = plain(regression)
    square, n = rest @ rest, len(y)
    half = np.sqrt((np.exp(chdtri(1.0, 0.1) / n) - 1.0) * square * inverse[1, 1])
    interval = fit.profile_interval(X, y, ("expert 1", "b"), 0.9)
    np.testing.assert_allclose(interval, [beta[1] - half, beta[1] + half], rtol=1e-6)
    with pytest.raises(ValueError, match="parameter must be part and term"):
        fit.profile_interval(X, y, ("expert 2", "b"))


def test_a_profile_is_the_likelihood_with_the_parameter_held(mixture):
    fit, X, y = mixture
    lower, upper = fit.profile_interval(X, y, ("expert 1", "variance"))
    wald = fit.summary().loc[("expert 1", "variance")]
    assert lower == pytest.approx(wald["lower"], rel=0.03)
    assert upper == pytest.approx(wald["upper"], rel=0.03)
    assert lower != pytest.approx(wald["lower"], rel=1e-6)


def test_resamples_depend_on_seed_and_number_alone(mixture):
    fit, X, y = mixture
    whole = fit.bootstrap(X, y, 8, random_state=3)
    part = fit.bootstrap(X, y, 3, random_state=3, n_jobs=2)
    calls = []
    resumed = fit.bootstrap(X, y, 8, resume=part, callback=lambda *what: calls.append(what))
    np.testing.assert_array_equal(resumed.estimates, whole.estimates)
    assert calls == [(k, 8) for k in range(4, 9)]
    assert whole.failed == {}
    assert not np.array_equal(fit.bootstrap(X, y, 8, random_state=4).estimates, whole.estimates)


@pytest.mark.parametrize("kind", ["nonparametric", "parametric"])
def test_resamples_spread_as_the_standard_errors_say(mixture, kind):
    fit, X, y = mixture
    result = fit.bootstrap(X, y, 150, kind=kind, random_state=0)
    ratio = np.sqrt(np.diag(result.covariance) / np.diag(fit.covariance_))
    # 150 resamples leave 6 % of noise
    assert ((ratio > 0.75) & (ratio < 1.35)).all(), ratio
    table = result.intervals(0.9)
    assert (table["lower"] < table["estimate"]).all()
    assert (table["upper"] > table["estimate"]).all()
    mirrored = result.intervals(0.9, "basic")
    np.testing.assert_allclose(mirrored["lower"], 2.0 * table["estimate"] - table["upper"])
    assert "parametric bootstrap, 150 resamples" in repr(result)


def test_experts_that_change_places_are_put_back(mixture, monkeypatch):
    from emmd.inference import bootstrap

    fit, X, y = mixture
    straight = fit.bootstrap(X, y, 3, random_state=0)
    original = bootstrap.fit_from_starts

    def switched(problem, starts, **options):
        found = original(problem, starts, **options)
        found.runs[0].x = fit._model.permuted(found.runs[0].x, [1, 0])
        return found

    monkeypatch.setattr(bootstrap, "fit_from_starts", switched)
    np.testing.assert_allclose(
        fit.bootstrap(X, y, 3, random_state=0).estimates, straight.estimates, rtol=1e-9
    )


def test_a_bootstrap_draws_observations(mixture):
    fit, X, y = mixture
    with pytest.raises(ValueError, match=r"whole numbers for a bootstrap, .* got 0.5"):
        fit.bootstrap(X, y, 2, sample_weight=np.full(len(y), 0.5))
    with pytest.raises(TypeError, match="resume must be an earlier result"):
        fit.bootstrap(X, y, 2, resume=3)


def test_most_intervals_cover():
    """The parametric truth lies in 95 % intervals about 95 times of 100; the benchmark counts a thousand."""
    rng, covered = np.random.default_rng(0), []
    truth = np.array([2.0, 1.0, 0.25, -1.0, 0.0, 0.25, 1.0, 0.5])
    for _ in range(25):
        X = rng.standard_normal((300, 1))
        first = rng.random(300) < 1.0 / (1.0 + np.exp(-0.5 - X[:, 0]))
        y = np.where(first, 1.0 + 2.0 * X[:, 0], -X[:, 0]) + 0.5 * rng.standard_normal(300)
        table = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0).fit(X, y).summary().iloc[:-1]
        covered.append((table["lower"] < truth) & (truth < table["upper"]))
    # 200 intervals: five standard deviations of a binomial count around 95 %
    assert 0.87 < np.mean(covered) < 1.0
