"""Bounds on boxes are proved, refuted by a certified point, or left undecided; enclosures hold inside."""

import math

import numpy as np
import pytest
import sympy as sp

from emmd import theory
from emmd.theory.certificates.balls import above, below, exact_matrix, flint, precision
from emmd.theory.certificates.bounds.expression import BallExpression, gate_moment
from emmd.theory.certificates.bounds.rates import CHI, BoxRates, _along_expert, _slope
from emmd.theory.certificates.bounds.shipped import SHIPPED
from emmd.theory.certificates.population.spectrum import middles
from emmd.theory.claims.snr.s4_gate_threshold import smallest_gate_moment


@pytest.mark.parametrize("model", ["symmoline", "symmologe"])
@pytest.mark.parametrize("seed", range(3))
def test_enclosures_hold_inside_the_box(model, seed):
    rng = np.random.default_rng(seed)
    low = 10.0 ** rng.uniform(-1, 1, 2)
    high = low * 10.0 ** rng.uniform(0, 0.5, 2)
    cosines = np.sort(np.clip(rng.uniform(-1, 1) + np.array([0.0, rng.choice([0.0, 0.05])]), -1.0, 1.0))
    box = (low[0], high[0]), (low[1], high[1]), tuple(cosines)
    with precision(64):
        rates = BoxRates(model, None)
        lower, upper = rates.lower(box), rates.upper(box)
    for _ in range(10):
        point = [rng.uniform(*side) if rng.random() < 0.7 else side[rng.integers(2)] for side in box]
        seen = theory.population(model, *map(float, point)).rate(3)
        assert lower - 1e-9 <= seen <= upper + 1e-9
    if (high / low).max() < 1.3 and cosines[0] == cosines[1]:
        assert upper - lower < 1.0


def test_the_formulas_that_bounds_across_a_box_are_made_of():
    """The inequalities are proved by hand; here the code is that of the proof."""
    rng = np.random.default_rng(0)
    missing, q = rng.standard_normal((4, 4)), 0.7
    missing = missing @ missing.T
    complete, D = np.diag([1.0, 1.0, 0.2, 0.1]), np.diag([q, q, 1.0, 1.0])
    with precision():
        by_weights, by_observed = (
            middles(each) for each in _along_expert(exact_matrix(missing), 1 / flint.arb(q))
        )
        slopes = [
            middles(_slope(flint.arb(2), exact_matrix(np.eye(2)), in_plane)) for in_plane in (False, True)
        ]
    np.testing.assert_allclose(by_observed, complete - D @ (complete - missing) @ D, atol=1e-14)
    stretched = np.diag([1 / q, 1 / q, 1.0, 1.0])
    np.testing.assert_allclose(by_weights, stretched @ missing @ stretched / q, atol=1e-12)
    # E[a^2 exp(-a^2/2) x^2] / 8 for a = 2u and x across u
    u = np.linspace(-9.0, 9.0, 2001)
    moment = (u[1] - u[0]) * np.sum(4 * u**2 * np.exp(-(5 * u**2) / 2)) / np.sqrt(2 * np.pi) / 8
    for slope in slopes:
        np.testing.assert_allclose(slope, moment * np.diag([3.0, 0.25]), rtol=1e-10)
    P, turn = np.meshgrid(np.linspace(0.0, 9.0, 300), np.linspace(0.0, 9.0, 300))
    assert (turn * (np.tanh(P - turn) - np.tanh(turn)) <= P**2 / 8 + 1e-15).all()


def test_the_constant_chi():
    x = np.linspace(0.0, 3.0, 100_001)
    assert 0.0 < CHI - (x * (1.0 - np.tanh(x))).max() < 1e-4


def test_a_refuting_point_is_certified():
    found = theory.prove_bound("exp(-snr_e**2/2)", "symmoline", (0.1, 10.0), 0.0)
    assert not found.proved
    assert found.undecided == ()
    point = found.refuted
    assert point["rate"][0] > point["bound"][1]
    seen = theory.population("symmoline", *(point[k] for k in ("snr_expert", "snr_gate", "cosine")))
    assert point["rate"][0] - 1e-12 <= seen.rate(3) <= point["rate"][1] + 1e-12


def test_a_lower_bound_and_a_sympy_expression():
    snr = sp.Symbol("snr_e", positive=True)
    found = theory.prove_bound(
        sp.Rational(1, 2) / sp.sqrt(1 + snr**2), "symmoline", (1.0, 4.0), 0.0, kind="lower", max_boxes=600
    )
    assert found.proved
    wrong = theory.prove_bound(sp.Max(0.9, 0) / snr, "symmoline", (1.0, 4.0), 0.0, kind="lower")
    assert wrong.refuted["rate"][1] < wrong.refuted["bound"][0]


def test_a_callable_is_followed_as_a_formula_and_its_floats_are_exact():
    """With floats of its own, a function of the middle of a box would pass for a function on the box."""
    third = 1.0 / 3.0
    expression = BallExpression(lambda e, g, c, d: sp.sqrt(e) + third)
    with precision(64):
        wide = expression(flint.arb(1).union(flint.arb(4)), *[flint.arb(1)] * 3)
        assert wide.contains(1 + flint.arb(third))
        assert wide.contains(2 + flint.arb(third))
        assert (expression(*[flint.arb(1)] * 4) - 1).contains(flint.arb(third))


def test_the_gates_moment_holds_its_values_on_an_interval():
    with precision(64):
        found = gate_moment(flint.arb(0.5).union(flint.arb(2.0)))
        for r in (0.5, 1.0, 2.0):
            assert below(found) - 1e-10 <= smallest_gate_moment(r) <= above(found) + 1e-10
        assert gate_moment(flint.arb(0)).contains(1)


def test_what_is_left_is_returned():
    steps = []
    found = theory.prove_bound(
        "0.92", "symmoline", (1.0, 4.0), (0.5, 2.0), cosine=(-0.2, 0.2), max_boxes=9,
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert not found.proved
    assert found.refuted is None
    assert found.undecided
    assert found.boxes <= 10
    assert steps[0] == (1, 9)
    for expert, gate, cosine in found.undecided:
        assert 1.0 <= expert[0] <= expert[1] <= 4.0
        assert 0.5 <= gate[0] <= gate[1] <= 2.0
        assert -0.2 <= cosine[0] <= cosine[1] <= 0.2


def test_bounds_that_are_true_of_every_rate_need_no_box():
    assert theory.prove_bound("1", "symmologe", (0.1, 10.0), (0.1, 10.0), (-1.0, 1.0)).boxes == 1
    assert theory.prove_bound("-snr_e", "symmologe", (0.1, 10.0), 1.0, kind="lower").boxes == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("1", "moe", 1.0, 1.0), "model must be one of"),
        (("1", "symmoline", (2.0, 1.0), 1.0), r"snr_expert must be a range from low to high, got \(2, 1\)"),
        (("1", "symmoline", (0.0, 1.0), 1.0), "snr_expert must begin above 0"),
        (("1", "symmoline", (), 1.0), "snr_expert must not be empty"),
        (("1", "symmoline", (1.0, 2.0, 3.0), 1.0), "snr_expert must have shape"),
        (("erf(snr_e)", "symmoline", 1.0, 1.0), "functions .* got 'erf'"),
        (("log(-snr_e)", "symmoline", (1.0, 2.0), 1.0), "real values"),
        ((sp.erf(sp.Symbol("snr_e")), "symmoline", 1.0, 1.0), "functions .* got 'erf'"),
        ((lambda e, g, c, d: 1 / math.sqrt(1 + e * e), "symmoline", 1.0, 1.0), "four sympy symbols.*float"),
        ((lambda e, g, c, d: np.exp(e), "symmoline", 1.0, 1.0), "four sympy symbols.*exp"),
        (("sqrt(snr_e - 2)", "symmoline", (1.0, 3.0), 1.0), "real values"),
        (("gate_moment(1e9)", "symmoline", (1.0, 3.0), 1.0), "gate_moment must be taken at most at 200"),
    ],
)
def test_bad_input(arguments, says):
    with pytest.raises(ValueError, match=says):
        theory.prove_bound(*arguments)


@pytest.mark.parametrize("label", [label for label, bound in SHIPPED.items() if bound.boxes < 100])
def test_shipped_bounds_end_as_they_say(label):
    bound = SHIPPED[label]
    found = bound.prove()
    assert found.proved is bound.proved
    assert (found.refuted is None) is bound.proved
