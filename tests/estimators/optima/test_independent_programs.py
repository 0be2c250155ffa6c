"""The likelihoods that another program found on public data, and those of a plain optimiser.

flexmix 2.3.18 under R 4.2.2 with nnet 7.3.18: set.seed(1), 30 runs of `flexmix(y ~ ., k, model =
FLXMRglm(family), concomitant = FLXPmultinom(~ bmi + s5) or FLXPconstant())`, tolerance 1e-12,
minprior 0, on scikit-learn's diabetes data, unscaled, features bmi and s5, and on breast cancer's
mean texture and mean smoothness; features were standardised, which changes no likelihood. Its
Gaussian sigma divides by n minus the rank, so its likelihood lies a little below the maximum;
Poisson and Bernoulli experts have no sigma.

statsmodels 0.15.0 (`NegativeBinomial`, `GLM(..., exposure=...)`, `ZeroInflatedPoisson`, by BFGS and then
Newton) and StepMix 3.0.0 (``gaussian_full`` measured by two targets, a covariate for the classes, one step)
on the same diabetes data.
"""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

import emmd
from tests.estimators.optima.plain import best_maximum, flat_parameters, loglik

FLEXMIX = {
    ("poisson", "softmax", 2): -3181.2274978642,
    ("poisson", "softmax", 3): -2674.0376645348,
    ("poisson", "constant", 3): -2706.8662662629,
    ("gaussian", "softmax", 2): -2364.8185428807,
    ("gaussian", "constant", 2): -2385.0820124616,
    ("gaussian", "constant", 3): -2374.7606769754,
}
SIGMA = 7e-6
"""How far, relatively, flexmix's Gaussian likelihoods may lie below the maximum: about (3 K / n)^2 / 10."""


def diabetes():
    data = load_diabetes(scaled=False)
    return data.data[:, [2, 8]], data.target


@pytest.mark.parametrize(("family", "gate", "K"), FLEXMIX)
def test_diabetes(family, gate, K):
    X, y = diabetes()
    n_init = 9 if gate == "constant" else 3
    fit = emmd.MixtureOfExpertsRegressor(K, family=family, gate=gate, n_init=n_init, random_state=0).fit(X, y)
    assert fit.converged_
    assert {start["status"] for start in fit.starts_} == {"converged"}
    excess = fit.loglik_ / FLEXMIX[family, gate, K] - 1.0
    if family == "poisson":
        assert abs(excess) < 1e-9
    else:
        assert -SIGMA < excess < 0.0


STATSMODELS = {
    "negative_binomial": (
        -2396.989645394306,
        [1.92428117, 0.04499708, 0.39957026],
        [0.18077, 0.0048268, 0.041697],
    ),
    "poisson": (-8574.408624237098, [-1.24816091, 0.04379792, 0.25396475], [0.03694, 0.0009328, 0.007998]),
    "zero_inflated_poisson": (
        -1043.7916223317602,
        [-0.89242125, 0.04216651, 0.37594198],
        [0.18364, 0.00472, 0.04],
    ),
}
"""Log-likelihood; intercept and slopes; standard errors."""


@pytest.mark.parametrize("family", STATSMODELS)
def test_one_expert_is_the_regression_of_statsmodels(family):
    loglik, parameters, errors = STATSMODELS[family]
    X, y = diabetes()
    options = {"expert_features": [0, 1]}
    if family == "poisson":
        X = np.column_stack([X, load_diabetes(scaled=False).data[:, 0]])
        options["exposure"] = 2
    if family == "zero_inflated_poisson":
        y = np.where(np.arange(len(y)) % 4 == 0, 0.0, np.round(y / 20.0))
    fit = emmd.MixtureOfExpertsRegressor(1, family=family, **options).fit(X, y)
    assert fit.loglik_ == pytest.approx(loglik, rel=1e-9)
    found = fit.summary()
    order = [("expert 1", name) for name in ("intercept", "x0", "x1")]
    np.testing.assert_allclose(found["estimate"][order], parameters, rtol=1e-6)
    np.testing.assert_allclose(found["standard error"][order], errors, rtol=1e-3)


def test_two_targets_are_the_mixture_of_stepmix():
    data = load_diabetes(scaled=False)
    X = np.column_stack([data.data[:, 2], np.ones(len(data.target))])
    Y = np.column_stack([data.target, data.data[:, 8]])
    model = emmd.MixtureOfExpertsRegressor(
        2, expert_features=[1], gate_features=[0], n_init=3, random_state=0
    )
    with warnings.catch_warnings():
        # the experts' only feature is constant, and that is said
        warnings.simplefilter("ignore", UserWarning)
        fit = model.fit(X, Y)
    assert fit.loglik_ == pytest.approx(-2679.277063228467, rel=1e-10)


def test_breast_cancer():
    data = load_breast_cancer()
    fit = emmd.MixtureOfExpertsClassifier(2, gate="constant", n_init=3, random_state=0)
    fit.fit(data.data[:, [1, 4]], data.target)
    assert fit.converged_
    assert fit.loglik_ == pytest.approx(-261.4415219079, rel=1e-9)


def test_a_plain_optimiser_finds_no_more():
    X, y = diabetes()
    fit = emmd.MixtureOfExpertsRegressor(2, n_init=3, random_state=0).fit(X, y)
    Z, t = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    best = best_maximum("gaussian", Z, t, 2, starts=5, seed=1) - len(y) * np.log(y.std())
    assert fit.loglik_ == pytest.approx(best, rel=1e-9)
    assert loglik(flat_parameters(fit), "gaussian", X, y, 2) == pytest.approx(fit.loglik_, rel=1e-12)
