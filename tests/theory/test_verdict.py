"""The grading of comparisons: each verdict is reached, and NaN never passes."""

import math

import pytest

from theory.claim import Comparison, Kind
from theory.verdict import Verdict, grade


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
    "row", [(math.nan, 1.0, 1e-9, 1.0), (1.0, math.nan, 1e-9, 1.0), (1.0, 1.0, math.nan, 1.0)]
)
def test_nan_is_a_violation(kind, row):
    assert graded(kind, row, (1.0, 1.0, 1e-9, 1.0)).verdict is Verdict.VIOLATED


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
