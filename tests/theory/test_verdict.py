"""The grading of comparisons: each verdict is reached, and NaN never passes."""

import math

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.theory.claim import Claim, Comparison, Kind
from emmd.theory.verdict import Verdict, grade


def graded(kind, *rows, resolution=1e-3):
    return grade(kind, [Comparison(*row) for row in rows], resolution)


def test_identity_holds_within_its_budget_and_not_outside():
    assert graded(Kind.IDENTITY, (1.0, 1.0 + 1e-13, 1e-12, 1.0)).verdict is Verdict.HOLDS
    assert graded(Kind.IDENTITY, (1.0, 1.0 + 1e-11, 1e-12, 1.0)).verdict is Verdict.VIOLATED


def test_bounds_are_one_sided():
    assert graded(Kind.UPPER_BOUND, (2.0, 1.0, 1e-12, 1.0)).verdict is Verdict.HOLDS
    assert graded(Kind.UPPER_BOUND, (1.0, 2.0, 1e-12, 1.0)).verdict is Verdict.VIOLATED
    assert graded(Kind.LOWER_BOUND, (1.0, 2.0, 1e-12, 1.0)).verdict is Verdict.HOLDS
    assert graded(Kind.LOWER_BOUND, (2.0, 1.0, 1e-12, 1.0)).verdict is Verdict.VIOLATED


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    "row",
    [
        (math.nan, 1.0, 1e-9, 1.0),
        (1.0, math.nan, 1e-9, 1.0),
        (1.0, 1.0, math.nan, 1.0),
        (1.0, math.inf, 1e-9, 1.0),
        (-math.inf, 1.0, 1e-9, 1.0),
    ],
)
def test_what_is_no_number_neither_passes_nor_refutes(kind, row):
    result = graded(kind, row, (1.0, 1.0, 1e-9, 1.0))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "finite" in result.reason
    assert graded(kind, row, (1.0, 1.0, 1e-9, 1.0), (1.0, 2.0, 1e-9, 1.0)).verdict is not Verdict.HOLDS


def test_a_violation_counts_beside_what_is_no_number():
    result = graded(Kind.IDENTITY, (1.0, math.nan, 1e-9, 1.0), (1.0, 2.0, 1e-9, 1.0))
    assert result.verdict is Verdict.VIOLATED
    assert result.worst.observed == 2.0


def test_every_part_is_decided():
    """One part whose budget hides everything, beside a tautology, must not hold."""
    hidden = Comparison(1.0, 1.2, math.inf, 1.0, part="the statement")
    tautology = Comparison(1.0, 1.0, 1e-12, 1.0, part="something else")
    result = grade(Kind.IDENTITY, [hidden, tautology], 1e-3)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "the statement" in result.reason
    assert result.resolution is None


def test_resolution_is_the_smallest_error_that_every_part_refutes():
    sharp = Comparison(2.0, 2.0, 1e-9, 2.0, part="sharp")
    blunt = Comparison(2.0, 2.0 + 1e-5, 3e-5, 2.0, part="blunt")
    result = grade(Kind.IDENTITY, [sharp, blunt], 1e-3)
    assert result.resolution == pytest.approx(2e-5)
    for shift, verdict in ((1.0, Verdict.HOLDS), (1.01, Verdict.VIOLATED)):
        # the prediction moved away from what was seen, by no more than the resolution, and by more
        moved = Comparison(2.0 - shift * 2.0 * 1e-5 * 1.0, 2.0 + 1e-5, 3e-5, 2.0, part="blunt")
        assert grade(Kind.IDENTITY, [sharp, moved], 1e-3).verdict is verdict


def test_the_resolution_of_a_bound_is_how_far_it_may_be_tightened():
    rows = [Comparison(1.0, 0.2, 1e-9, 1.0), Comparison(1.0, 0.9, 1e-9, 1.0)]
    assert grade(Kind.UPPER_BOUND, rows, 1e-3).resolution == pytest.approx(0.1)


def test_one_violation_among_many_decides_and_is_the_counter_example():
    result = graded(Kind.IDENTITY, (1.0, 1.0, 1e-12, 1.0), (5.0, 6.0, 1e-12, 1.0), (2.0, 2.0, 1e-12, 1.0))
    assert result.verdict is Verdict.VIOLATED
    assert result.worst.predicted == 5.0
    assert result.slack < 0


def test_a_budget_that_hides_everything_is_inconclusive():
    assert graded(Kind.IDENTITY, (1.0, 1.2, 0.5, 1.0)).verdict is Verdict.INCONCLUSIVE
    mixed = graded(Kind.IDENTITY, (1.0, 1.2, 0.5, 1.0), (1.0, 1.0, 1e-12, 1.0))
    assert mixed.verdict is Verdict.HOLDS
    assert mixed.undecided == 1


def test_no_comparison_is_inconclusive():
    assert graded(Kind.RATE).verdict is Verdict.INCONCLUSIVE


def test_bounds_beyond_the_trivial_are_vacuous():
    says_nothing = Comparison(1.5, 0.2, 1e-12, 1.0, trivial=1.0)
    assert grade(Kind.UPPER_BOUND, [says_nothing], 1e-3).verdict is Verdict.VACUOUS
    says_something = Comparison(0.5, 0.2, 1e-12, 1.0, trivial=1.0)
    assert grade(Kind.UPPER_BOUND, [says_nothing, says_something], 1e-3).verdict is Verdict.HOLDS


def test_a_budget_without_end_leaves_no_slack():
    claim = Claim("X1", "x", measure=lambda lab: [Comparison(0.0, 1.0, np.inf)])
    problem = emmd.Problem(emmd.SymMoLinE(1), [[1.0], [2.0], [3.0]], [1.0, -2.0, 2.5])
    [record] = theory.verify(problem, [0.5, 0.1], [claim])
    assert record.verdict == "inconclusive"
    assert record.slack is None
