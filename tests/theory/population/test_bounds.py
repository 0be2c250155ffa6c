"""A user's own bounds: parsed and never executed, checked on a grid, attacked by a search."""

import numpy as np
import pytest
import sympy as sp

from emmd.theory.population.bounds.expression import parse
from emmd.theory.population.bounds.search import BoundGrid, check_bound
from emmd.theory.population.spectrum.spectrum import population
from emmd.theory.verdict import Verdict

SMALL = BoundGrid((0.1, 1.0, 10.0), (0.1, 1.0), (0.0, 1.0), 3)
S4_LIKE = "max(1, 1 + snr_g**3) / sqrt(1 + snr_e**2)"


def check(expression, model="symmoline", grid=SMALL, effort=2, **options):
    return check_bound(expression, model, grid=grid, effort=effort, **options)


def test_a_true_bound_holds_and_names_its_tightest_and_loosest_points():
    found = check(S4_LIKE)
    assert found.verdict is Verdict.HOLDS
    assert found.slack.shape == (3, 2, 2)
    assert (found.slack > 0).all()
    spectrum = population("symmoline", *(found.point[k] for k in ("snr_expert", "snr_gate", "cosine")))
    assert found.rate == pytest.approx(spectrum.rate(3), abs=1e-13)
    assert found.bound - found.rate <= found.slack.min()
    assert set(found.loosest) == set(found.point) == {"snr_expert", "snr_gate", "cosine", "d"}


def test_a_bound_that_fails_between_the_points_of_the_grid_is_found_by_the_search():
    # true at SNR_e = 0.1, 1 and 10, and far too low in between
    dip = "1 - 0.75 * max(0, 1 - abs(log(snr_e) + 1.15) / 1.1)"
    grid = BoundGrid((0.1, 1.0, 10.0), (1e-3, 1e-2), (0.0, 1.0), 3)
    found = check(dip, grid=grid, effort=4)
    assert (found.slack >= 0).all()
    assert found.verdict is Verdict.VIOLATED
    assert found.found_by == "search"
    assert 0.1 < found.point["snr_expert"] < 1.0
    assert found.bound < found.rate


def test_the_worst_point_is_a_local_minimum_of_the_slack():
    found = check("1 / sqrt(1 + snr_e**2)")
    assert (found.point["snr_gate"], found.point["cosine"]) == (1.0, 1.0)
    snr = found.point["snr_expert"] * np.array([0.95, 1.05])
    near = [1 / np.sqrt(1 + s**2) - population("symmoline", s, 1.0, 1.0).rate(3) for s in snr]
    assert found.bound - found.rate < min(near)


def test_a_nan_that_only_the_search_meets_is_one_sentence():
    with pytest.raises(
        ValueError, match="the bound's expression must have real values, got NaN at snr_e = 0"
    ):
        check("1 + 0 * sqrt((log(snr_e) + 1)**2 - 0.5)")


def test_functions_of_numbers_are_called_point_by_point():
    import math

    assert check(lambda e, g, c, d: max(1.0, 1 + g**3) / math.sqrt(1 + e**2)).verdict is Verdict.HOLDS
    assert check(sp.gamma(sp.Symbol("snr_e")) + 1).verdict is Verdict.VACUOUS
    with pytest.raises(ValueError, match=r"no value at snr_e = 0.1, .*ZeroDivisionError"):
        check(lambda e, g, c, d: 1 // 0)
    with pytest.raises(ValueError, match=r"no value at .*TypeError"):
        check(lambda e: 1.0)
    with pytest.raises(ValueError, match="one value for each point"):
        check(lambda e, g, c, d: np.ones(3))


def test_s2_bound_fails_with_a_gate_and_holds_without():
    assert check("1 / sqrt(1 + snr_e**2)").verdict is Verdict.VIOLATED
    no_gate = BoundGrid((0.1, 1.0, 10.0), (1e-8, 1e-7), (0.0, 1.0), 3)
    assert check("1 / sqrt(1 + snr_e**2)", grid=no_gate).verdict is Verdict.HOLDS


def test_the_default_grid_holds_negative_cosines():
    # the rate is even in the cosine; a bound need not be
    found = check_bound("1.01 + min(0, cosine)", "symmologe", effort=1)
    assert found.verdict is Verdict.VIOLATED
    assert found.point["cosine"] == -1.0


def test_vacuous_bounds():
    assert check("1").verdict is Verdict.VACUOUS
    assert check("1e999").verdict is Verdict.VACUOUS
    assert check("0", kind="lower").verdict is Verdict.VACUOUS


def test_lower_bounds():
    assert check("0.5 / sqrt(1 + snr_e**2)", kind="lower").verdict is Verdict.HOLDS
    assert check("0.9 / sqrt(1 + snr_e**2)", kind="lower").verdict is Verdict.VIOLATED


def test_the_same_seed_gives_the_same_point():
    assert check(S4_LIKE, seed=5).point == check(S4_LIKE, seed=5).point


def test_text_sympy_and_callable_agree():
    snr_e, snr_g = sp.symbols("snr_e snr_g")
    forms = [S4_LIKE, sp.Max(1, 1 + snr_g**3) / sp.sqrt(1 + snr_e**2)]
    forms.append(lambda e, g, c, d: np.maximum(1, 1 + g**3) / np.sqrt(1 + e**2))
    slacks = [check(form, effort=1).slack for form in forms]
    np.testing.assert_allclose(slacks[1], slacks[0], rtol=1e-14)
    np.testing.assert_allclose(slacks[2], slacks[0], rtol=1e-14)


def test_formulas_are_read_as_written():
    arguments = (0.5, 2.0, -0.3, 4.0)
    cases = {
        "-snr_e**2 + 3 - -1": 3.75,
        "2**-snr_g": 0.25,
        "exp(log(snr_g)) / (d - 1)": 2 / 3,
        "min(snr_e, snr_g, abs(cosine)) + max(1, 2)": 2.3,
        "sech(0) + cosh(0) + sinh(0) + tanh(0)": 2.0,
        "sqrt(pi * pi)": np.pi,
        "+1.5e1": 15.0,
    }
    for text, value in cases.items():
        assert float(parse(text)(*arguments)) == pytest.approx(value, rel=1e-15)


NOT_FORMULAS = [
    ("1/(", "does not parse"),
    ("", "does not parse"),
    ("snr_e snr_g", "does not parse"),
    ("(" * 300 + "1" + ")" * 300, "does not parse"),
    ("-" * 5000 + "1", "at most 2000 characters"),
    ("-" * 1900 + "1", "does not parse"),
    ("snr_x", "must only use the names snr_e, snr_g, cosine, d and pi, got 'snr_x'"),
    ("__import__('os').system('true')", "must only use the functions"),
    ("().__class__", "must be made of numbers"),
    ("snr_e.real", "must be made of numbers"),
    ("[1][0]", "must be made of numbers"),
    ("lambda: 1", "must be made of numbers"),
    ("snr_e < 1", "must be made of numbers"),
    ("1 if snr_e else 2", "must be made of numbers"),
    ("snr_e // 2", "must be made of numbers"),
    ("snr_e^2", "powers are written **"),
    ("(x := 1)", "must be made of numbers"),
    ("'1'", "must hold real numbers only"),
    ("1j", "must hold real numbers only"),
    ("True", "must hold real numbers only"),
    ("exp(1, 2)", "must give exp one argument"),
    ("max(1)", "must give max two or more argument"),
    ("exp(x=1)", "plain arguments"),
    ("min(*snr_e)", "plain arguments"),
    ("9" * 400, "numbers below 1e308"),
    ("log(-snr_e)", "real values, got NaN at snr_e = 0.1"),
    ("(-1)**0.5", "real values, got NaN"),
    ("0 * 1e999", "real values, got NaN"),
]


@pytest.mark.parametrize(("text", "message"), NOT_FORMULAS)
def test_what_is_not_a_formula_is_refused_in_one_sentence(text, message):
    with pytest.raises(ValueError, match="the bound") as caught:
        check(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_bad_input():
    with pytest.raises(TypeError, match="expression must be text, a sympy expression or a callable"):
        check(3)
    with pytest.raises(ValueError, match="must only use the symbols"):
        check(sp.Symbol("q"))
    with pytest.raises(ValueError, match="must be real"):
        check(sp.I * sp.Symbol("snr_e"))
    with pytest.raises(ValueError, match=r"functions that sympy knows, got 'f'"):
        check(sp.Function("f")(sp.Symbol("snr_e")))
    with pytest.raises(ValueError, match="real values, got zoo"):
        check(sp.zoo)
    with pytest.raises(TypeError, match="sympy expression with values"):
        check(sp.Symbol("snr_e") < 1)
    with pytest.raises(ValueError, match="kind must be one of"):
        check("1", kind="both")
    with pytest.raises(ValueError, match="seed must be at least 0"):
        check("1", seed=-1)
    with pytest.raises(TypeError, match="grid must be a BoundGrid"):
        check("1", grid={"d": 2})
    with pytest.raises(ValueError, match="snr_gate of the grid must be finite"):
        check("1", grid=BoundGrid((0.1, 1.0), (1.0, np.inf), (0.0, 1.0), 2))
    with pytest.raises(ValueError, match="ascending"):
        check("1", grid=BoundGrid((1.0,), (1.0, 2.0), (0.0, 1.0), 2))
    with pytest.raises(ValueError, match="must be positive"):
        check("1", grid=BoundGrid((0.0, 1.0), (1.0, 2.0), (0.0, 1.0), 2))
