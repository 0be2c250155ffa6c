"""The ends of double precision: rescaled, or refused with the argument's name; no NaN, no leaked warning."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import emmd

RNG = np.random.default_rng(0)
N = 60
X = RNG.standard_normal((N, 2))
Y = np.where(RNG.random(N) < 0.5, X[:, 0], 1.0 - X[:, 0]) + 0.3 * RNG.standard_normal(N)
SIZES = [1e-320, 1e-170, 1e-100, 1e100, 1e160, 1e300]
ONE = np.arange(N) == 3

ESTIMATED = {
    "y": lambda s: ({}, X, Y * s, None),
    "one y": lambda s: ({}, X, np.where(ONE, s, Y), None),
    "X": lambda s: ({}, X * s, Y, None),
    "one column": lambda s: ({}, X * [s, 1.0], Y, None),
    "weights": lambda s: ({}, X, Y, np.full(N, s)),
    "one weight": lambda s: ({}, X, Y, np.where(ONE, s, 1.0)),
    "gamma": lambda s: ({"family": "gamma"}, X, np.exp(Y) * s, None),
    "poisson": lambda s: ({"family": "poisson"}, X, np.floor(np.exp(Y) * s), None),
    "variance": lambda s: ({"variance": s}, X, Y, None),
    "tol": lambda s: ({"tol": s}, X, Y, None),
}


def refused(call):
    """Return what a call returns, and "", or None and why it refuses."""
    try:
        return call(), ""
    except ValueError as error:
        return None, str(error)


def finite(*numbers):
    return all(np.isfinite(part).all() for part in numbers if part is not None)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", ESTIMATED)
def test_estimators(what, size):
    options, features, y, weights = ESTIMATED[what](size)
    estimator = emmd.MixtureOfExpertsRegressor(n_init=3, random_state=0, max_iter=50, **options)
    name = {"one column": "X", "weights": "sample_weight", "one weight": "sample_weight"}.get(what, what)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit, why = refused(lambda: estimator.fit(features, y, sample_weight=weights))
        if why:
            assert why.startswith(name if name in ("X", "sample_weight", "variance") else "y")
            return
        numbers = [fit.coef_, fit.intercept_, fit.gate_coef_, fit.gate_intercept_, fit.dispersion_]
        numbers += [fit.loglik_, fit.trace_, fit.predict(features), fit.log_density(features, y), fit.bic()]
    assert finite(*numbers, *(fit.standard_errors_ or {}).values())


def posed(what, s):
    ones = np.column_stack([X, np.ones(N)])
    model, y, weights = emmd.MixtureOfExperts(3, 2), Y, None
    if what == "sigma":
        model = emmd.SymMoLinE(3, sigma=s)
    elif what == "variance":
        model = emmd.MixtureOfExperts(3, 2, variance=s)
    elif what in ("gamma", "poisson"):
        model = emmd.MixtureOfExperts(3, 2, family=what)
        y = np.floor(np.exp(Y) * s) if what == "poisson" else np.exp(Y) * s
    elif what == "weights":
        weights = np.full(N, s)
    else:
        y = Y * s
    return emmd.Problem(model, ones, y, weights)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", ["y", "weights", "gamma", "poisson", "variance", "sigma"])
def test_problems(what, size):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problem, why = refused(lambda: posed(what, size))
        if why:
            assert why.startswith(what if what in ("variance", "sigma") else "y")
            return
        theta = np.full(problem.n_params, 0.1)
        numbers = [problem.loss(theta), problem.gradient(theta), problem.hessian(theta)]
        run = emmd.minimize(problem, theta, max_iter=20)
    assert finite(*numbers, run.x, run.fun, run.jac, run.trace.loss, run.trace.displacement)
