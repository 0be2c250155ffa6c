"""Formulas: what experts and gate see, for the table of the fit and for others."""

import numpy as np
import pandas as pd
import pytest

import emmd

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {"y": RNG.standard_normal(30), "a [$m$]": RNG.random(30), "site": list("abc") * 10, "x": RNG.random(30)}
)


def test_columns_of_experts_and_gate_and_of_a_new_table():
    design = emmd.formula_design("y ~ `a [$m$]` + C(site) + np.log(x) | x", TABLE)
    assert list(design.X) == ["a [$m$]", "C(site)[T.b]", "C(site)[T.c]", "np.log(x)", "x"]
    assert design.options["expert_features"] == list(design.X)[:4]
    assert design.options["gate_features"] == ["x"]
    np.testing.assert_array_equal(design.y, TABLE["y"])
    # one row has one category only, and keeps the columns of the fit
    pd.testing.assert_frame_equal(
        design.transform(TABLE.iloc[1:2]).reset_index(drop=True), design.X.iloc[1:2].reset_index(drop=True)
    )
    fit = emmd.MixtureOfExpertsRegressor(1, **design.options).fit(design.X, design.y)
    assert fit.coef_[0, -1] == 0.0
    again = fit.predict(design.transform(TABLE.drop(columns="y")))
    np.testing.assert_allclose(again.mean(), design.y.mean(), rtol=1e-9)


def test_no_intercept_is_said_to_the_estimator():
    design = emmd.formula_design("y ~ 0 + x", TABLE)
    assert design.options == {"expert_features": ["x"], "gate_features": ["x"], "fit_intercept": False}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("y ~ x + (", "formula must fit data"),
        ("y ~ speed", "formula must fit data"),
        ("x", "formula must have one target"),
        ("site ~ x", "formula must have one target"),
        ("y ~ x | x | x", "formula must have one bar at most"),
        ("y ~ x | 0 + x", "formula must have an intercept for experts and gate, or for neither"),
        ("y ~ x | 1", "formula must give experts and gate a feature each"),
    ],
)
def test_what_is_no_formula_is_refused_in_one_sentence(text, says):
    with pytest.raises(ValueError, match=says) as refusal:
        emmd.formula_design(text, TABLE)
    assert "\n" not in str(refusal.value)
