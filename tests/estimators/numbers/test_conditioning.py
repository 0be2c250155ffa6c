"""The fit is that of the span: bases, offsets, a code for a missing value, repeated and surplus columns."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

import emmd

RNG = np.random.default_rng(0)
YEARS = RNG.uniform(1990.0, 2020.0, 300).round(2)
T = (YEARS - 2005.0) / 15.0
FIRST = RNG.random(300) < 0.5
CURVED = np.where(FIRST, 1.0 + 2.0 * T - 3.0 * T**2, T**3 + T - 1.0) + 0.3 * RNG.standard_normal(300)
X = RNG.standard_normal((300, 2))
Y = np.where(FIRST, 1.0 + 2.0 * X[:, 0], X[:, 1] - 1.0 - X[:, 0]) + 0.3 * RNG.standard_normal(300)


def fit(features, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return emmd.MixtureOfExpertsRegressor(n_init=3, random_state=0, **options).fit(features, y)


def powers(x, degree):
    return np.column_stack([x**k for k in range(1, degree + 1)])


@pytest.mark.parametrize("degree", [2, 3, 6])
def test_bases_of_a_polynomial(degree):
    plain = fit(powers(T, degree), CURVED)
    legendre = fit(np.polynomial.legendre.legvander(T, degree)[:, 1:], CURVED)
    assert legendre.loglik_ == pytest.approx(plain.loglik_, rel=1e-10)
    np.testing.assert_allclose(
        legendre.predict_experts(np.polynomial.legendre.legvander(T, degree)[:, 1:]),
        plain.predict_experts(powers(T, degree)),
        atol=1e-6,
    )


def test_years_and_their_powers():
    plain = fit(powers(T, 3), CURVED)
    raw = fit(powers(YEARS, 3), CURVED)
    assert raw.converged_
    assert raw.loglik_ == pytest.approx(plain.loglik_, rel=1e-8)
    far = fit(powers(T, 3) + 1e6, CURVED)
    assert far.loglik_ == pytest.approx(plain.loglik_, rel=1e-7)
    np.testing.assert_allclose(far.coef_, plain.coef_, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        far.standard_errors_["coef"], plain.standard_errors_["coef"], rtol=1e-4, atol=1e-5
    )


def test_the_least_squares_of_a_mixture_are_those_of_the_users_columns():
    """Two equal halves that a known gate tells apart: each expert is a regression of its own."""
    side = np.where(np.arange(300) < 150, -1.0, 1.0)
    gate = {"gate_coef": [[0.0, 0.0, 0.0], [0.0, 0.0, 60.0]], "gate_intercept": [0.0, 0.0]}
    features = np.column_stack([YEARS, YEARS**2, side])
    known = fit(features, CURVED, fixed=gate, expert_features=[0, 1])
    for k, half in enumerate((side < 0, side > 0)):
        u = np.polynomial.Polynomial.fit(YEARS[half], CURVED[half], 2)
        np.testing.assert_allclose(known.predict_experts(features)[half, k], u(YEARS[half]), atol=1e-8)


@pytest.mark.parametrize("code", [9999999.0, -1e6, 1e5])
def test_a_code_in_one_cell(code):
    """The row's own column says nothing then: an indicator of the row is what is left of it."""
    coded, limit = X.copy(), X.copy()
    coded[7, 1], limit[7, 1] = code, np.sign(code) * 1e4
    one, other = fit(coded, Y), fit(limit, Y)
    assert one.converged_
    assert one.loglik_ == pytest.approx(other.loglik_, abs=0.1)
    rest = np.arange(300) != 7
    np.testing.assert_allclose(
        np.sort(one.predict_experts(coded)[rest]), np.sort(other.predict_experts(limit)[rest]), atol=0.1
    )


def test_a_ridge_uses_all_columns_in_any_order():
    wide = RNG.standard_normal((40, 60))
    y = wide[:, 0] + 0.1 * RNG.standard_normal(40)
    order = RNG.permutation(60)
    ridges = {"expert_ridge": 0.1, "gate_ridge": 0.1}
    one, other = fit(wide, y, **ridges), fit(wide[:, order], y, **ridges)
    assert one.converged_
    assert (one.coef_ != 0.0).all()
    assert other.loglik_ == pytest.approx(one.loglik_, rel=1e-6)
    np.testing.assert_allclose(other.coef_, one.coef_[:, order], atol=1e-5)
    repeated = np.column_stack([X, X[:, 0]])
    twice = fit(repeated, Y, **ridges)
    assert twice.converged_
    np.testing.assert_allclose(twice.coef_[:, 0], twice.coef_[:, 2], rtol=1e-6)


def test_what_is_impossible_is_named():
    table = pd.DataFrame(X, columns=["speed", "load"])
    table["both"] = X[:, 0] * 1e-200
    with pytest.raises(ValueError, match="in column 'both'"):
        fit(table, Y)
