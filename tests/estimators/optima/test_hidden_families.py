"""Families with a hidden variable beside z against a direct optimiser of their likelihoods."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning

import emmd

FAMILIES = ("student_t", "negative_binomial", "zero_inflated_poisson")


def drawn(family, n=400):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n)
    u = np.where(rng.random(n) < expit(2.0 * x), 1.5 + 0.5 * x, -0.5 - 0.4 * x)
    y = {
        "student_t": lambda: 100.0 + 10.0 * (2.0 * u + 0.3 * rng.standard_t(3, n)),
        "negative_binomial": lambda: rng.poisson(np.exp(u + 1.0) * rng.gamma(4.0, 0.25, n)),
        "zero_inflated_poisson": lambda: rng.poisson(np.exp(u + 1.0)) * (rng.random(n) < 0.8),
    }[family]()
    return x[:, None], y.astype(float)


def expert(family, y, mean, dispersion):
    """Return the density of y for the expert's mean function and reported dispersion, from scipy."""
    if family == "student_t":
        return stats.t(3.0, mean, np.sqrt(dispersion)).pdf(y)
    if family == "negative_binomial":
        return stats.nbinom(dispersion, dispersion / (dispersion + np.exp(mean))).pmf(y)
    share = dispersion / (1.0 + dispersion)
    return share * stats.poisson(np.exp(mean)).pmf(y) + (1.0 - share) * (y == 0)


def loglik(flat, family, X, y):
    """Return the log-likelihood of intercepts, slopes, log dispersions of two experts and the gate."""
    a, b, log_dispersion, gate = flat[:2], flat[2:4], flat[4:6], flat[6:]
    p = expit(gate[0] + gate[1] * X[:, 0])
    parts = [expert(family, y, a[k] + b[k] * X[:, 0], np.exp(log_dispersion[k])) for k in (0, 1)]
    return np.log(p * parts[0] + (1.0 - p) * parts[1]).sum()


@pytest.fixture(scope="module", params=FAMILIES)
def fit(request):
    X, y = drawn(request.param)
    options = {"df": 3.0} if request.param == "student_t" else {}
    model = emmd.MixtureOfExpertsRegressor(family=request.param, n_init=3, random_state=0, **options)
    return model.fit(X, y), X, y


def flat(fit):
    gate = [fit.gate_intercept_[0], fit.gate_coef_[0, 0]]
    return np.concatenate([fit.intercept_, fit.coef_[:, 0], np.log(fit.dispersion_), gate])


def test_a_direct_optimiser_finds_no_more(fit):
    fit, X, y = fit
    assert fit.converged_
    here = flat(fit)
    assert loglik(here, fit.family, X, y) == pytest.approx(fit.loglik_, rel=1e-10)
    away = here * (1.0 + 0.1 * np.random.default_rng(0).standard_normal(8))
    found = minimize(lambda p: -loglik(p, fit.family, X, y), away, method="BFGS", options={"gtol": 1e-4})
    found = minimize(
        lambda p: -loglik(p, fit.family, X, y),
        found.x,
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000},
    )
    assert fit.loglik_ >= -found.fun - 1e-8 * abs(found.fun)
    assert -found.fun == pytest.approx(fit.loglik_, rel=1e-8)


def test_standard_errors_count_what_is_hidden(fit):
    fit, X, y = fit
    here, h = flat(fit), 1e-3
    steps = h * np.eye(8)

    def second(a, b):
        terms = [s * t * loglik(here + s * a + t * b, fit.family, X, y) for s in (1, -1) for t in (1, -1)]
        return -sum(terms) / (4.0 * h * h)

    information = np.array([[second(a, b) for b in steps] for a in steps])
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    errors = fit.standard_errors_
    np.testing.assert_allclose(errors["coef"][:, 0], expected[2:4], rtol=2e-3)
    np.testing.assert_allclose(errors["dispersion"] / fit.dispersion_, expected[4:6], rtol=5e-3)


def test_the_distribution_is_that_of_the_reported_parameters(fit):
    fit, X, _ = fit
    found = fit.predict_quantile(X, 0.7)
    reached = fit.predict_cdf(X, found)
    if fit.family == "student_t":
        np.testing.assert_allclose(reached, 0.7, rtol=0, atol=1e-10)
        return
    assert (reached >= 0.7).all()
    assert (fit.predict_cdf(X, found - 1.0) < 0.7).all()
    # the probabilities of the counts add up to the distribution function, and to the mean
    counts = np.arange(400.0)
    p = np.exp([fit.log_density(np.repeat(X[:1], 400, axis=0), counts)])[0]
    np.testing.assert_allclose(fit.predict_cdf(np.repeat(X[:1], 400, axis=0), counts), p.cumsum(), rtol=1e-9)
    assert counts @ p == pytest.approx(fit.predict(X[:1])[0], rel=1e-9)


def test_degrees_of_freedom_are_estimated():
    """One t expert: scipy's densities, maximised directly in all four parameters."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(300)
    y = 50.0 + 4.0 * x + 2.0 * rng.standard_t(3, 300)
    fit = emmd.MixtureOfExpertsRegressor(1, family="student_t", df=None).fit(x[:, None], y)
    assert fit.converged_

    def loss(p):
        return -stats.t(np.exp(p[3]), p[0] + p[1] * x, np.exp(p[2])).logpdf(y).sum()

    here = [fit.intercept_[0], fit.coef_[0, 0], 0.5 * np.log(fit.dispersion_[0]), np.log(fit.df_[0])]
    assert -loss(here) == pytest.approx(fit.loglik_, rel=1e-12)
    found = minimize(loss, [50.0, 3.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-6})
    assert -found.fun == pytest.approx(fit.loglik_, rel=1e-8)
    np.testing.assert_allclose(fit.df_, np.exp(found.x[3]), rtol=1e-4)
    # the inverse of BFGS's Hessian is rough; the information by differences is not
    h = 1e-3 * np.eye(4)
    second = [
        [sum(s * t * loss(here + s * a + t * b) for s in (1, -1) for t in (1, -1)) / 4e-6 for b in h]
        for a in h
    ]
    deviation = np.sqrt(np.linalg.inv(second)[3, 3])
    assert fit.standard_errors_["df"][0] / fit.df_[0] == pytest.approx(deviation, rel=1e-3)
    assert fit.set_params(df=3.0).fit(x[:, None], y).summary().shape[0] == 3
    assert not hasattr(fit, "df_")


def test_outliers_do_not_pull_a_t_expert():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200)
    y = x + 0.1 * rng.standard_normal(200)
    y[:5] = 50.0
    robust = emmd.MixtureOfExpertsRegressor(1, family="student_t", df=2.0).fit(x[:, None], y)
    assert abs(robust.coef_[0, 0] - 1.0) < 0.03
    assert abs(emmd.MixtureOfExpertsRegressor(1).fit(x[:, None], y).intercept_[0]) > 0.5


def test_counts_without_more_spread_or_zeros_are_poisson():
    X = np.random.default_rng(0).standard_normal((100, 1))
    y = np.round(20.0 * np.exp(0.1 * X[:, 0]))
    poisson = emmd.MixtureOfExpertsRegressor(1, family="poisson").fit(X, y)
    with warnings.catch_warnings():
        # a parameter is at infinity, which the status may name
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [emmd.MixtureOfExpertsRegressor(1, family=family).fit(X, y) for family in FAMILIES[1:]]
    for fit in fits:
        np.testing.assert_allclose(fit.coef_, poisson.coef_, atol=1e-6)
        assert fit.loglik_ == pytest.approx(poisson.loglik_, rel=1e-6)
        assert fit.n_iter_ < 200


@pytest.mark.parametrize("family", FAMILIES[1:])
def test_targets_that_are_no_counts_are_refused(family):
    with pytest.raises(ValueError, match=f"counts 0, 1, 2, ... for family {family}, got 0.5 in row 1"):
        emmd.MixtureOfExpertsRegressor(1, family=family).fit([[0.0], [1.0], [2.0]], [1.0, 0.5, 0.0])
    with pytest.raises(ValueError, match="df is an option of family 'student_t' only"):
        emmd.MixtureOfExpertsRegressor(1, family=family, df=3.0).fit([[0.0], [1.0], [2.0]], [1.0, 0.0, 0.0])
