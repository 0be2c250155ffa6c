"""Small legitimate data, problems and fits that hostile calls start from."""

import warnings
from functools import cache
from pathlib import Path

import numpy as np

import emmd
from emmd.experiments.snr.store.store import writing

RNG = np.random.default_rng(11)
X = RNG.standard_normal((24, 2))
Y = X[:, 0] * RNG.choice([-1.0, 1.0], 24) + 0.5 * RNG.standard_normal(24)
LABELS = np.where(Y > 0, 1.0, -1.0)
COUNTS = np.floor(np.abs(3.0 * Y))
WEIGHTS = RNG.uniform(0.5, 2.0, 24)
THETA = np.array([0.8, 0.2, 0.3, -0.4])
P = RNG.uniform(0.05, 0.95, 24)
PK = np.column_stack([P, 1.0 - P])


class CallbackError(Exception):
    """What a user's own function raises: it is theirs, and passes through."""


@cache
def linear():
    return emmd.SymMoLinE(2, sigma=0.7)


@cache
def problem(kind="linear"):
    if kind == "linear":
        return emmd.Problem(linear(), X, Y, WEIGHTS)
    if kind == "logistic":
        return emmd.Problem(emmd.SymMoLogE(2), X, LABELS)
    if kind == "parts":
        return emmd.PartitionedProblem(linear(), [(X[:10], Y[:10]), (X[10:], Y[10:])])
    if kind == "prior":
        return emmd.Problem(emmd.ConjugatePrior(linear(), 0.5, THETA), X, Y)
    y = {"gaussian": Y, "poisson": COUNTS, "bernoulli": LABELS > 0, "categorical": np.minimum(COUNTS, 2)}
    options = {"n_classes": 3} if kind == "categorical" else {}
    y = y.get(kind, np.abs(Y) + 0.1)
    return emmd.Problem(emmd.MixtureOfExperts(2, 2, family=kind, **options), X, y, WEIGHTS)


@cache
def point(kind="linear"):
    """Return a parameter of the problem of a kind."""
    return 0.3 * np.random.default_rng(3).standard_normal(problem(kind).n_params)


@cache
def optimum(kind="linear"):
    return emmd.minimize(problem(kind), point(kind), method="squarem", max_iter=300).x


@cache
def recorded():
    return emmd.minimize(problem(), THETA, record=True, max_iter=30)


@cache
def trace():
    return np.array(recorded().trace.theta)


@cache
def population():
    from emmd.theory import population_problem

    return population_problem("symmologe", THETA, tol=1e-2)


@cache
def estimator(kind="regressor"):
    made = emmd.MixtureOfExpertsClassifier if kind == "classifier" else emmd.MixtureOfExpertsRegressor
    family = {"family": "poisson"} if kind == "counts" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = made(n_init=1, max_iter=20, random_state=0, **family)
        return fit.fit(X, {"regressor": Y, "classifier": LABELS, "counts": COUNTS}[kind])


@cache
def regression():
    """Return one Gaussian expert, which has standard errors."""
    return emmd.MixtureOfExpertsRegressor(1).fit(X, Y)


def model_file():
    """Write a fitted estimator to the current folder."""
    emmd.save_model(estimator(), "m.json")


def store():
    """Write a store without runs to the current folder, once."""
    if not Path("s.sqlite").exists():
        with writing("s.sqlite", "1"):
            pass
