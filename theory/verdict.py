"""The one place that compares numbers: no claim grades itself."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from theory.claim import Kind


class Verdict(StrEnum):
    """What a check concluded."""

    HOLDS = "holds"
    VACUOUS = "vacuous"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"
    NOT_DISCRIMINATING = "not discriminating"


@dataclass(frozen=True)
class Grade:
    """The verdict of one list of comparisons and the comparison that decided it.

    Attributes
    ----------
    verdict : Verdict
    worst : Comparison or None
        The one with the least slack.
    slack : float
        What was left of the error budget (identity, rate) or of the bound; negative when violated.
    compared, undecided : int
        Number of comparisons, and of those whose budget was too large to decide.
    """

    verdict: Verdict
    worst: object
    slack: float
    compared: int
    undecided: int = 0


def excess(kind, comparison):
    """Return by how much a comparison misses, before its error budget is allowed for."""
    gap = comparison.observed - comparison.predicted
    if kind is Kind.UPPER_BOUND:
        return gap
    if kind is Kind.LOWER_BOUND:
        return -gap
    return abs(gap)


def grade(kind, comparisons, resolution):
    """Grade a list of comparisons.

    Parameters
    ----------
    kind : Kind
    comparisons : iterable of Comparison
    resolution : float

    Returns
    -------
    Grade
        ``violated`` when one comparison misses by more than its budget (or is
        not a number); ``inconclusive`` when no comparison had a budget below
        resolution * scale; ``vacuous`` when every bound says nothing.
    """
    comparisons = list(comparisons)
    if not comparisons:
        return Grade(Verdict.INCONCLUSIVE, None, 0.0, 0)
    misses = np.array([excess(kind, c) for c in comparisons])
    budgets = np.array([c.budget for c in comparisons])
    scales = np.array([max(c.scale, 1e-300) for c in comparisons])
    # a NaN on either side must end as a violation, never as a pass
    broken = ~(misses <= budgets)
    undecided = ~(budgets <= resolution * scales)
    worst = int(np.argmax(np.where(np.isnan(misses), np.inf, _severity(kind, misses, budgets, scales))))
    verdict = _verdict(kind, comparisons, broken, undecided)
    if verdict is Verdict.VIOLATED:
        worst = int(np.argmax(np.where(broken, np.nan_to_num(misses / scales, nan=np.inf), -np.inf)))
    slack = _slack(kind, misses[worst], budgets[worst])
    return Grade(verdict, comparisons[worst], slack, len(comparisons), int(undecided.sum()))


def _verdict(kind, comparisons, broken, undecided):
    if broken.any():
        return Verdict.VIOLATED
    if undecided.all():
        return Verdict.INCONCLUSIVE
    if kind in (Kind.UPPER_BOUND, Kind.LOWER_BOUND) and all(_says_nothing(kind, c) for c in comparisons):
        return Verdict.VACUOUS
    return Verdict.HOLDS


def _says_nothing(kind, comparison):
    if comparison.trivial is None:
        return False
    if kind is Kind.UPPER_BOUND:
        return comparison.predicted >= comparison.trivial
    return comparison.predicted <= comparison.trivial


def _severity(kind, misses, budgets, scales):
    if kind in (Kind.UPPER_BOUND, Kind.LOWER_BOUND):
        return misses / scales
    return misses / np.maximum(budgets, 1e-300)


def _slack(kind, miss, budget):
    return float(budget - miss) if kind in (Kind.IDENTITY, Kind.RATE) else float(-miss)


@dataclass(frozen=True)
class SabotageRecord:
    """How a sabotage fared: ``violated`` is what it must be.

    Attributes
    ----------
    name : str
    verdict : Verdict
    predicted, observed : float or None
    where : mapping
        The counter-example that refuted it.
    """

    name: str
    verdict: Verdict
    predicted: float | None = None
    observed: float | None = None
    where: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """The verdict on one claim and one problem.

    Attributes
    ----------
    claim, statement, model, problem, kind : str
    verdict : Verdict
    predicted, observed, slack, error_budget : float or None
        Of the comparison with the least slack.
    tightness : float or None
        observed / predicted, for bounds.
    compared, undecided : int
    reason : str
        Why, when the verdict is not ``holds``.
    where : dict
        Where the worst comparison was made: the counter-example when violated.
    sabotages : tuple of SabotageRecord
    proof : str
        ``proved``, ``not proved`` or "" when there is no symbolic proof.
    """

    claim: str
    statement: str
    model: str
    problem: str
    kind: str
    verdict: Verdict
    predicted: float | None = None
    observed: float | None = None
    slack: float | None = None
    error_budget: float | None = None
    tightness: float | None = None
    compared: int = 0
    undecided: int = 0
    reason: str = ""
    where: dict = field(default_factory=dict)
    sabotages: tuple = ()
    proof: str = ""

    @property
    def failed(self):
        """Whether a user must act: violated or not discriminating."""
        return self.verdict in (Verdict.VIOLATED, Verdict.NOT_DISCRIMINATING)
