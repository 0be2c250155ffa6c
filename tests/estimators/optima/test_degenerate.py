"""Degenerate fits warn, name their reason and hold no NaN; bad input is one clear sentence."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import emmd
from emmd.core.checks import NotFiniteError
from tests.generators.degenerate import FAMILIES, PAIRS, case

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2))
Y = X @ [1.0, -1.0] + 0.5 * RNG.standard_normal(60)


def finite(fit):
    numbers = [fit.coef_, fit.intercept_, fit.gate_coef_, fit.gate_intercept_, fit.loglik_, fit.trace_]
    return (
        all(np.isfinite(part).all() for part in numbers)
        and np.isfinite(fit.predict(X[:, : fit.n_features_in_])).all()
    )


def test_an_exact_fit_is_a_collapse():
    line = np.arange(12.0)[:, None]
    with pytest.warns(ConvergenceWarning, match="variance runs to zero"):
        fit = emmd.MixtureOfExpertsRegressor(random_state=0).fit(line, 2.0 * line[:, 0] + 1.0)
    assert fit.status_ is emmd.Status.VARIANCE_COLLAPSE
    assert not fit.converged_
    assert fit.standard_errors_ is None
    assert fit.em_rate_ is None
    assert finite(fit)
    np.testing.assert_allclose(fit.predict(line), 2.0 * line[:, 0] + 1.0, atol=1e-9)


def test_separable_classes_diverge_and_still_predict():
    y = np.where(X[:, 0] > 0, "yes", "no")
    with pytest.warns(ConvergenceWarning, match="separable"):
        fit = emmd.MixtureOfExpertsClassifier(random_state=0, n_init=3).fit(X, y)
    assert fit.status_ is emmd.Status.DIVERGING
    assert fit.score(X, y) == 1.0
    assert np.isfinite(fit.predict_proba(100.0 * X)).all()


LABELLED = ("bernoulli", "categorical")


def said_far_away(fit, X):
    try:
        fit.predict(X)
    except NotFiniteError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_every_family_names_it(kind, name):
    X, y, status = case(kind, name)
    if name in LABELLED:
        fit = emmd.MixtureOfExpertsClassifier(n_init=3, random_state=0)
    else:
        family, options = FAMILIES[name]
        fit = emmd.MixtureOfExpertsRegressor(family=family, n_init=6, random_state=0, **options)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        fit.fit(X, y)
    numbers = [fit.coef_, fit.intercept_, fit.gate_coef_, fit.gate_intercept_, fit.loglik_, fit.trace_]
    numbers += [fit.predict(X), fit.responsibilities(X, y), fit.log_density(X, y)]
    assert all(np.isfinite(part).all() for part in numbers)
    # far away e^u may be beyond the largest number, which is said; but 0 times that is not NaN
    assert "got nan" not in said_far_away(fit, 1e4 * X)
    assert status.name.lower() in {start["status"] for start in fit.starts_} | {fit.status_.name.lower()}
    if kind in ("identical rows", "separable gate") and fit.converged_:
        # another start found an optimum: its likelihood is bounded
        assert fit.dispersion_ is None or (fit.dispersion_ > 1e-6).all()
        return
    assert fit.status_ is status
    assert not fit.converged_
    assert any(fit.message_ in str(warning.message) for warning in told)


def test_an_expert_that_a_warm_start_leaves_empty():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-3.0, -1.0, 80), rng.uniform(1.0, 3.0, 80)])[:, None]
    y = np.where(x[:, 0] < 0, 5.0 * x[:, 0], 40.0 - 5.0 * x[:, 0]) + rng.standard_normal(160)
    # the clusters separate the gate: a little ridge keeps it finite
    fit = emmd.MixtureOfExpertsRegressor(random_state=0, n_init=3, warm_start=True, gate_ridge=1e-4)
    assert fit.fit(x, y).converged_
    with pytest.warns(ConvergenceWarning, match="An expert has lost all its rows"):
        fit.fit(x[:80], y[:80])
    assert fit.status_ is emmd.Status.EMPTY_EXPERT
    assert np.isfinite(fit.loglik_)
    assert np.isfinite(fit.predict(x)).all()


def test_an_unfinished_fit_says_so():
    with pytest.warns(ConvergenceWarning, match="Iteration limit"):
        fit = emmd.MixtureOfExpertsRegressor(n_init=1, max_iter=3, random_state=0).fit(X, Y)
    assert fit.n_iter_ == len(fit.trace_) == 4
    assert fit.standard_errors_ is None
    assert "stationary" in fit.standard_errors_message_


def test_a_saddle_has_no_standard_errors():
    # every row twice with both signs: equal experts are a stationary point that EM from equal starts keeps
    twice, y = np.vstack([X, X]), np.concatenate([Y, -Y])
    from emmd.estimators import inference

    model = emmd.MixtureOfExperts(2, 2, variance=1.0)
    problem = emmd.Problem(model, twice, y)
    centre = np.zeros(problem.n_params)
    np.testing.assert_allclose(problem.gradient(centre), 0.0, atol=1e-12)
    assert inference.covariance(problem.hessian(centre), 120.0) is None


def fit_with(estimator, X=X, y=Y, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y, **more)


R, C = emmd.MixtureOfExpertsRegressor, emmd.MixtureOfExpertsClassifier
LABELS = (Y > 0).astype(int)
BAD = [
    (lambda: fit_with(R(0)), "n_experts must be at least 1, got 0"),
    (lambda: fit_with(R("two")), "n_experts must be an integer"),
    (lambda: fit_with(R(70)), "as many rows as n_experts = 70"),
    (
        lambda: fit_with(R(5), sample_weight=np.arange(60) < 4),
        "at least as many rows of positive weight as experts (5), got 4",
    ),
    (lambda: fit_with(R(), sample_weight=np.zeros(60)), "zero"),
    (lambda: fit_with(R(), sample_weight=-np.ones(60)), "egative"),
    (lambda: fit_with(R(family="gausian")), "did you mean 'gaussian'"),
    (lambda: fit_with(R(family="bernoulli")), "that is what MixtureOfExpertsClassifier fits"),
    (lambda: fit_with(R(family=3)), "family must be one of gamma, gaussian, negative_binomial, poisson"),
    (lambda: fit_with(R(variance=None)), "variance must be a positive number, got None"),
    (lambda: fit_with(R(), y=np.where(Y > 0, "a", "b")), "y must hold numbers for family 'gaussian', got "),
    (lambda: fit_with(R(family="poisson")), "y must hold counts"),
    (lambda: fit_with(R(family="poisson"), y=np.full(60, 1.5)), "y must hold counts"),
    (lambda: fit_with(R(family="gamma")), "y must be positive"),
    (lambda: fit_with(R(family="gamma", variance="shared"), y=np.exp(Y)), "option of family 'gaussian' only"),
    (lambda: fit_with(R(variance="loose")), "variance must be"),
    (lambda: fit_with(R(variance=-1.0)), "variance must be positive"),
    (lambda: fit_with(R(gate="hard")), "gate must be one of"),
    (lambda: fit_with(R(n_init=0)), "n_init must be at least 1"),
    (lambda: fit_with(R(method="emm")), "did you mean 'em'"),
    (lambda: fit_with(R(tol=0.0)), "tol must be positive"),
    (lambda: fit_with(R(callback=3)), "callback must be callable"),
    (lambda: fit_with(C()), "Unknown label type"),
    (lambda: fit_with(C(), y=np.ones(60, dtype=int)), "at least 2 classes"),
    (lambda: fit_with(C(n_init=1), y=LABELS).responsibilities(X, LABELS + 1), "classes seen in fit"),
    (lambda: fit_with(R(fit_intercept=False), X=np.zeros((60, 2))), "a column that is not zero"),
    (lambda: fit_with(R(n_init=1)).aic(X), "X and y must be given together"),
]


@pytest.mark.parametrize(("call", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_bad_input(call, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert says in str(caught.value)
