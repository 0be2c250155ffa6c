"""Doors of inference, of the choice of K and of formulas."""

import numpy as np
import pandas as pd

import emmd
from tests.hostile import examples as ex
from tests.hostile.door import Door

TABLE = pd.DataFrame({"y": ex.Y, "x": ex.X[:, 0], "site": list("ab") * 12})


def _method(name, **valid):
    def call(**arguments):
        return getattr(ex.regression(), name)(**arguments)

    return Door(f"regression.{name}", call, lambda: valid)


def _design(**arguments):
    return emmd.formula_design(**arguments).y


def doors():
    """Return the doors of this file."""
    data, ones = {"X": ex.X, "y": ex.Y}, np.ones(24)
    seed = {"random_state": 0}
    choice = {"estimator": None, "criterion": "bic", "sample_weight": ex.WEIGHTS}
    resamples = {"n_resamples": 2, "kind": "parametric", "n_jobs": None, "callback": None, "resume": None}
    return [
        _method("summary", level=0.9, covariance=np.eye(4)),
        _method("robust_covariance", **data, sample_weight=ex.WEIGHTS, groups=np.arange(24) // 2),
        _method("profile_interval", **data, parameter=("expert 1", "x0"), level=0.9, sample_weight=ones),
        _method("bootstrap", **data, sample_weight=ones, **seed, **resamples),
        _method("predict_quantile", X=ex.X, q=0.5),
        _method("predict_interval", X=ex.X, level=0.5),
        _method("predict_cdf", **data),
        _method("quantile_residuals", **data, **seed),
        _method("icl", **data),
        Door("select_experts", emmd.select_experts, lambda: {**data, "n_experts": [1], **choice}, share=0.3),
        Door(
            "likelihood_ratio_test",
            lambda **arguments: emmd.likelihood_ratio_test(**arguments, n_init=1, max_iter=5),
            lambda: {**data, "n_experts": 1, "estimator": None, "n_resamples": 1, **seed, "callback": None},
            share=0.1,
        ),
        Door("formula_design", _design, lambda: {"formula": "y ~ x + site", "data": TABLE}),
    ]
