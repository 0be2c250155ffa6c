"""Repeated measures: rows of a subject share their expert."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

import emmd
from emmd.inference.bootstrap import resampled


def subjects(G=60, m=4, seed=0):
    """Return rows of subjects whose lines differ by type, x, a covariate of the subject, and who they are."""
    rng = np.random.default_rng(seed)
    who = np.repeat([f"s{g}" for g in range(G)], m)
    age = np.repeat(rng.standard_normal(G), m)
    first = np.repeat(rng.random(G) < 1.0 / (1.0 + np.exp(-age[::m])), m)
    x = rng.standard_normal(G * m)
    return (
        np.column_stack([x, age]),
        np.where(first, 0.8 * x, -0.3 - 0.5 * x) + 0.8 * rng.standard_normal(G * m),
        who,
    )


def loglik(flat, X, y, who):
    """Return the log-likelihood of subjects whose rows follow each other, four of each."""
    (a, b), sd, gate = (flat[:2], flat[2:4]), np.exp(flat[4:6]), flat[6:]
    p = 1.0 / (1.0 + np.exp(-gate[0] - gate[1] * X[::4, 1]))
    rows = [stats.norm.logpdf(y, a[k] + b[k] * X[:, 0], sd[k]) for k in (0, 1)]
    parts = [each.reshape(-1, 4).sum(axis=1) for each in rows]
    return np.logaddexp(np.log(p) + parts[0], np.log(1.0 - p) + parts[1]).sum()


@pytest.fixture(scope="module")
def fit():
    X, y, who = subjects()
    model = emmd.MixtureOfExpertsRegressor(expert_features=[0], gate_features=[1], n_init=3, random_state=0)
    return model.fit(X, y, groups=who), X, y, who


def flat(fit):
    gate = [fit.gate_intercept_[0], fit.gate_coef_[0, 1]]
    return np.concatenate([fit.intercept_, fit.coef_[:, 0], 0.5 * np.log(fit.dispersion_), gate])


def test_the_likelihood_is_that_of_whole_subjects_and_no_optimiser_finds_more(fit):
    fit, X, y, who = fit
    assert fit.converged_
    here = flat(fit)
    assert loglik(here, X, y, who) == pytest.approx(fit.loglik_, rel=1e-10)
    found = minimize(lambda p: -loglik(p, X, y, who), here + 0.05, method="BFGS", options={"maxiter": 60})
    assert -found.fun <= fit.loglik_ + 1e-6


def test_standard_errors_are_those_of_that_likelihood(fit):
    fit, X, y, who = fit
    here, h = flat(fit), 1e-3
    steps = h * np.eye(8)

    def second(a, b):
        terms = [s * t * loglik(here + s * a + t * b, X, y, who) for s in (1, -1) for t in (1, -1)]
        return -sum(terms) / (4.0 * h * h)

    information = np.array([[second(a, b) for b in steps] for a in steps])
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    errors = fit.standard_errors_
    np.testing.assert_allclose(errors["coef"][:, 0], expected[2:4], rtol=2e-3)
    np.testing.assert_allclose(errors["gate_coef"][0, 1], expected[7], rtol=2e-3)


def test_responsibilities_are_one_for_a_subject_and_order_does_not_matter(fit):
    fit, X, y, who = fit
    r = fit.responsibilities(X, y, who)
    np.testing.assert_allclose(r, r[::4].repeat(4, axis=0), rtol=1e-12)
    assert (r.max(axis=1) > 0.9).mean() > (fit.responsibilities(X, y).max(axis=1) > 0.9).mean() + 0.1
    order = np.random.default_rng(0).permutation(len(y))
    again = emmd.MixtureOfExpertsRegressor(expert_features=[0], gate_features=[1], n_init=1, random_state=0)
    again.fit(X[order], y[order], groups=who[order])
    assert again.loglik_ == pytest.approx(fit.loglik_, rel=1e-9)


def test_groups_of_one_row_are_no_groups():
    X, y, _ = subjects(G=300, m=1)
    plain = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0).fit(X, y)
    grouped = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0).fit(X, y, groups=np.arange(300)[::-1])
    np.testing.assert_allclose(grouped.coef_, plain.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(grouped.covariance_, plain.covariance_, rtol=1e-4, atol=1e-8)


def test_what_groups_cannot_be_is_refused(fit):
    fitted, X, y, who = fit
    model = emmd.MixtureOfExpertsRegressor(n_init=1, random_state=0)
    with pytest.raises(ValueError, match="groups must share the gate's features"):
        model.fit(X, y, groups=who)
    model = emmd.MixtureOfExpertsRegressor(gate="constant", n_init=1, random_state=0)
    with pytest.raises(ValueError, match="groups must not cut across sample_weight"):
        model.fit(X, y, np.arange(1.0, len(y) + 1.0), who)
    with pytest.raises(ValueError, match="groups must be"):
        model.fit(X, y, groups=who[:-1])
    with pytest.raises(ValueError, match="prior_strength must be 0 where rows have groups"):
        emmd.MixtureOfExpertsRegressor(gate="constant", prior_strength=0.1).fit(X, y, groups=who)
    with pytest.raises(ValueError, match="groups must be labels, as in fit: rows of a group depend"):
        fitted.bootstrap(X, y, 3)
    with pytest.raises(ValueError, match="the fit must be one without groups"):
        fitted.robust_covariance(X, y)
    alone = emmd.MixtureOfExpertsRegressor(1).fit(X, y)
    with pytest.raises(ValueError, match="groups must be None, as in fit"):
        alone.bootstrap(X, y, 3, groups=who)


def test_whole_subjects_are_resampled(fit, tmp_path):
    fit, X, y, who = fit
    problem, total = fit._problem(X, y, groups=who)
    drawn = resampled(problem, total, "nonparametric", fit._theta, np.random.default_rng(0))
    weights = drawn.weights.reshape(-1, 4)
    assert (weights == weights[:, :1]).all()
    assert 25 < len(weights) < 55
    found = fit.bootstrap(X, y, 60, groups=who, random_state=0)
    errors = fit.summary()["standard error"]
    slopes = [("expert 1", "x0"), ("expert 2", "x0")]
    np.testing.assert_allclose(found.intervals()["standard error"][slopes], errors[slopes], rtol=0.35)
    emmd.save_model(fit, tmp_path / "model.json")
    again = emmd.load_model(tmp_path / "model.json").bootstrap(X, y, 2, groups=who, random_state=0)
    np.testing.assert_array_equal(again.estimates, found.estimates[:2])
    lower, upper = fit.profile_interval(X, y, slopes[0], groups=who)
    assert lower < fit.coef_[0, 0] < upper


def test_targets_are_drawn_for_whole_subjects():
    """Experts so far apart that a target tells whose it is; both subjects count three times."""
    who, weights = np.repeat([0, 1], 8), np.full(16, 3.0)
    X, y = (
        np.tile(np.arange(8.0), 2)[:, None],
        np.repeat([-50.0, 50.0], 8) + np.tile([-1.0, 1.0, 1.0, -1.0], 4),
    )
    model = emmd.MixtureOfExpertsRegressor(gate="constant", n_init=1, random_state=0)
    fit = model.fit(X, y, weights, who)
    problem, total = fit._problem(X, y, weights, who)
    targets = [
        resampled(problem, total, "parametric", fit._theta, np.random.default_rng(seed)).y.reshape(6, 8)
        for seed in range(5)
    ]
    experts = np.array(targets) > 0.0
    assert (experts == experts[:, :, :1]).all()
    # copies of a subject are subjects of their own
    assert (experts[:, 0, 0] != experts[:, 2, 0]).any()
