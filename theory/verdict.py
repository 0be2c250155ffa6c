"""The one place that compares numbers: no claim grades itself."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from emmd.theory.claim import Kind

BOUNDS = (Kind.UPPER_BOUND, Kind.LOWER_BOUND)


class Verdict(StrEnum):
    """What a check concluded; of a sabotage, also that it cannot be told from the claim here.

    *Certified* is a claim that holds, with a proof in ball arithmetic behind its predicted number.
    """

    HOLDS = "holds"
    CERTIFIED = "certified"
    VACUOUS = "vacuous"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"
    NOT_DISCRIMINATING = "not discriminating"
    NOT_DISTINGUISHABLE = "not distinguishable here"


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
    resolution : float or None
        Every part of the claim refutes a prediction that is off by more than this share of its scale: see
        `sharpness`.
    reason : str
        Which part of the claim is undecided, and why.
    """

    verdict: Verdict
    worst: object
    slack: float
    compared: int
    undecided: int = 0
    resolution: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Columns:
    """The comparisons as arrays."""

    kind: Kind
    misses: np.ndarray
    budgets: np.ndarray
    scales: np.ndarray
    finite: np.ndarray
    decided: np.ndarray

    @property
    def broken(self):
        """Which comparisons miss by more than their budgets; only finite numbers refute."""
        return self.finite & (self.misses > self.budgets)


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
        ``violated`` when one comparison of finite numbers misses by more than its budget; ``inconclusive``
        when a side is not a number, or when no comparison of some part of the claim had a budget below
        resolution * scale; ``vacuous`` when every bound says nothing.
    """
    comparisons = list(comparisons)
    if not comparisons:
        return Grade(Verdict.INCONCLUSIVE, None, 0.0, 0, reason="no comparison could be made")
    columns = _columns(kind, comparisons, resolution)
    verdict, reason = _verdict(columns, comparisons)
    worst = _worst(columns, verdict)
    miss, budget = columns.misses[worst], columns.budgets[worst]
    return Grade(
        verdict,
        comparisons[worst],
        float(budget - miss) if kind not in BOUNDS else float(-miss),
        len(comparisons),
        int((~columns.decided).sum()),
        sharpness(columns, comparisons),
        reason,
    )


def _columns(kind, comparisons, resolution):
    rows = np.array([(c.predicted, c.observed, c.budget, c.scale) for c in comparisons], dtype=float)
    finite = np.isfinite(rows[:, :2]).all(axis=1) & ~np.isnan(rows[:, 2:]).any(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        misses = np.array([excess(kind, c) for c in comparisons], dtype=float)
        budgets, scales = rows[:, 2], np.maximum(rows[:, 3], 1e-300)
        decided = finite & np.isfinite(budgets) & (budgets <= resolution * scales)
    return _Columns(kind, misses, budgets, scales, finite, decided)


def _verdict(columns, comparisons):
    if columns.broken.any():
        return Verdict.VIOLATED, ""
    if not columns.finite.all():
        where = comparisons[int(np.argmin(columns.finite))]
        return Verdict.INCONCLUSIVE, f"a side is not a finite number{_said(where)}"
    for name, members in _parts(comparisons).items():
        if not columns.decided[members].any():
            says = f"{name}: " if name else ""
            return Verdict.INCONCLUSIVE, f"{says}the error budget is too large to decide anything"
    if columns.kind in BOUNDS and all(_says_nothing(columns.kind, c) for c in comparisons):
        return Verdict.VACUOUS, "every bound is beyond what is true of everything"
    return Verdict.HOLDS, ""


def _said(comparison):
    words = [f"{key} {value}" for key, value in comparison.where.items() if not isinstance(value, np.ndarray)]
    return f" ({', '.join(words)})" if words else ""


def _parts(comparisons):
    """Return the indices of the comparisons that belong to each part of the claim."""
    parts: dict = {}
    for index, comparison in enumerate(comparisons):
        parts.setdefault(comparison.part, []).append(index)
    return parts


def sharpness(columns, comparisons):
    """Return how small an error of the prediction every part of the claim refutes, relative to its scale.

    An identity or a rate refutes a prediction that is shifted by more than its budget and its miss; a bound
    refutes one that is tightened beyond what was seen. The sharpest comparison of each part counts, and the
    bluntest part: so a budget that is too wide shows, and a bound that is too loose. None where a part
    decides nothing.
    """
    needed = columns.budgets + (np.abs(columns.misses) if columns.kind not in BOUNDS else -columns.misses)
    with np.errstate(invalid="ignore", over="ignore"):
        relative = np.where(columns.decided, needed / columns.scales, np.inf)
    bluntest = max(float(relative[members].min()) for members in _parts(comparisons).values())
    return bluntest if np.isfinite(bluntest) else None


def _worst(columns, verdict):
    if verdict is Verdict.VIOLATED:
        return int(np.argmax(np.where(columns.broken, columns.misses / columns.scales, -np.inf)))
    shown = columns.decided if columns.decided.any() else columns.finite
    if not shown.any():
        return 0
    against = columns.scales if columns.kind in BOUNDS else np.maximum(columns.budgets, 1e-300)
    with np.errstate(invalid="ignore", over="ignore"):
        return int(np.argmax(np.where(shown, columns.misses / against, -np.inf)))


def _says_nothing(kind, comparison):
    if comparison.trivial is None:
        return False
    if kind is Kind.UPPER_BOUND:
        return comparison.predicted >= comparison.trivial
    return comparison.predicted <= comparison.trivial


def same_numbers(comparisons, others):
    """Return whether two lists of comparisons hold the same predictions, observations and budgets."""
    rows, other_rows = (
        np.array([(c.predicted, c.observed, c.budget) for c in each], dtype=float)
        for each in (comparisons, others)
    )
    return rows.shape == other_rows.shape and np.array_equal(rows, other_rows, equal_nan=True)


@dataclass(frozen=True)
class SabotageRecord:
    """How a sabotage fared: ``violated`` is what it must be where it is false.

    Attributes
    ----------
    name : str
    verdict : Verdict
        ``not distinguishable here`` where the variant passes: it says the same as the claim, to the check's
        resolution. ``inconclusive`` where it could not be evaluated.
    predicted, observed : float or None
    where : mapping
        The counter-example that refuted it.
    smallest : float or None
        Of a graded sabotage: the smallest deviation from the true value that was refuted.
    """

    name: str
    verdict: Verdict
    predicted: float | None = None
    observed: float | None = None
    where: dict = field(default_factory=dict)
    smallest: float | None = None


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
    resolution : float or None
        The size of the smallest error of the prediction, relative to its scale, that every part of the claim
        refutes on this problem.
    independent : bool
        False where both sides come from one function of the user's.
    gauge : int
        Number of directions in which parameters move and nothing else does: the claim is about the rest.
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
    resolution: float | None = None
    independent: bool = True
    gauge: int = 0
    reason: str = ""
    where: dict = field(default_factory=dict)
    sabotages: tuple = ()
    proof: str = ""

    @property
    def failed(self) -> bool:
        """Whether a user must act: violated or not discriminating."""
        return self.verdict in (Verdict.VIOLATED, Verdict.NOT_DISCRIMINATING)
