"""Doors of estimators, model files and stores."""

from functools import partial

import numpy as np

import emmd
from tests.hostile import examples as ex
from tests.hostile.door import Door


def _fit(kind, **fixed):
    made = emmd.MixtureOfExpertsRegressor if kind == "regressor" else emmd.MixtureOfExpertsClassifier

    def call(X, y, sample_weight, **parameters):
        fit = made(**{**fixed, **parameters}).fit(X, y, sample_weight)
        return {name: value for name, value in vars(fit).items() if name.endswith("_")}, fit.predict(ex.X)

    def valid():
        return {
            "X": ex.X,
            "y": {"gaussian": ex.Y, "poisson": ex.COUNTS, "gamma": np.abs(ex.Y) + 0.1}[
                fixed.get("family", "gaussian")
            ]
            if kind == "regressor"
            else ex.LABELS,
            "sample_weight": ex.WEIGHTS,
            "n_experts": 2,
            "n_init": 1,
            "max_iter": 15,
            "random_state": 0,
        }

    return call, valid


def _parameters(kind):
    call, valid = _fit(kind)
    more = {
        "gate": "softmax",
        "expert_ridge": 0.1,
        "gate_ridge": 0.1,
        "prior_strength": 0.1,
        "fit_intercept": True,
        "expert_features": [0, 1],
        "gate_features": [0],
        "fixed": None,
        "method": "em",
        "tol": 1e-6,
        "warm_start": False,
        "n_jobs": 1,
        "keep": "best",
        "callback": lambda *arguments: None,
        "verbose": False,
    }
    if kind == "regressor":
        more |= {"family": "gaussian", "variance": 0.5, "df": 4.0, "exposure": None}
    return Door(
        f"{kind} parameters",
        call,
        lambda: {**valid(), **more},
        spoil=("n_experts", "n_init", "max_iter", "random_state", *more),
        share=20.0,
    )


def _at_rows(kind):
    X, y = {"X": ex.X[:6]}, {"y": (ex.Y if kind == "regressor" else ex.LABELS)[:6]}

    def door(method, **valid):
        return Door(
            f"{kind}.{method}", lambda **named: getattr(ex.estimator(kind), method)(**named), lambda: valid
        )

    yield door("predict", **X)
    yield door("predict_experts", **X)
    yield door("gate_proba", **X)
    yield door("responsibilities", **X, **y)
    yield door("log_density", **X, **y)
    yield door("score", **X, **y, sample_weight=ex.WEIGHTS[:6])
    yield door("sample", **X, random_state=3)
    yield door("aic", **X, **y)
    yield door("bic", **X, **y)
    if kind == "classifier":
        yield door("predict_proba", **X)


def _of_file(load, write):
    """Return `load`, which finds what `write` has written to the current folder."""

    def call(**arguments):
        write()
        return load(**arguments)

    return call


def _of_counts(method, **arguments):
    return getattr(ex.estimator("counts"), method)(**arguments)


def doors():
    """Return the doors of this file."""
    found = []
    for kind in ("regressor", "classifier"):
        found += [Door(f"{kind}.fit", *_fit(kind), ("X", "y", "sample_weight"), share=5.0), _parameters(kind)]
        found += _at_rows(kind)
    found += [
        Door(f"{family} fit", *_fit("regressor", family=family), ("X", "y", "sample_weight"), share=3.0)
        for family in ("poisson", "gamma")
    ]
    counts = {"X": ex.X[:6], "y": ex.COUNTS[:6]}
    for method, names in (("predict", ["X"]), ("predict_experts", ["X"]), ("log_density", ["X", "y"])):
        call = partial(_of_counts, method)
        found.append(
            Door(f"poisson {method}", call, lambda names=names: {name: counts[name] for name in names})
        )
    return [
        *found,
        Door(
            "save_model", emmd.save_model, lambda: {"estimator": ex.estimator(), "path": "m.json"}, share=2.0
        ),
        Door("load_model", _of_file(emmd.load_model, ex.model_file), lambda: {"path": "m.json"}),
        *(
            Door(load.__name__, _of_file(load, ex.store), lambda: {"store": "s.sqlite", "experiment": None})
            for load in (emmd.load_runs, emmd.load_traces)
        ),
    ]
