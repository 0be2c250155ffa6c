"""Run claims with their sabotages on a problem: the records that `emmd verify` prints."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import describe, flag, function_or_none, instance
from emmd.core.discover import discover, discover_files
from emmd.core.problem import Problem
from emmd.theory import claims as claim_files
from emmd.theory.certificates.balls import require_balls
from emmd.theory.claim import Claim, Comparison
from emmd.theory.kept_proofs import proved
from emmd.theory.lab import Lab
from emmd.theory.population.lab import PopulationLab
from emmd.theory.records import Records
from emmd.theory.verdict import BOUNDS, Record, SabotageRecord, Verdict, grade, same_numbers


def claims() -> dict[str, Claim]:
    """Return the known claims by id: those of theory/claims and of installed packages."""
    return found_claims().plugins


def found_claims(paths=()):
    """Return the known claims as `Found`, with those in the user's own files.

    Parameters
    ----------
    paths : sequence of str
        Files and folders; an option ``--claims`` each.

    Raises
    ------
    ValueError
        For a path without a claim, or two claims of one id.
    """
    found = discover(claim_files.__name__, Claim, "emmd.claims")
    for path in paths:
        found |= discover_files("--claims", path, Claim)
    return found


def select(names, found=None):
    """Return the claims with the given ids; a label such as ``"C1"`` selects all claims that carry it.

    Parameters
    ----------
    names : sequence of str or Claim, or None
        `Claim` objects may stand beside ids; None means all known claims.
    found : Found, optional
        Those to select from; all `claims` by default.

    Raises
    ------
    ValueError
        For an unknown id, with the nearest known one; for two claims of one id.
    TypeError
        For anything else.
    """
    found = found_claims() if found is None else found
    if names is None:
        return list(found.plugins.values())
    if isinstance(names, str | bytes) or not np.iterable(names):
        raise TypeError(f"claims must be a list of ids and Claim objects or None, got {describe(names)}")
    chosen: dict = {}
    for name in names:
        for claim in [name] if isinstance(name, Claim) else _called(name, found):
            if chosen.setdefault(claim.id, claim) is not claim:
                raise ValueError(f"claims must hold one claim of each id, got two of {claim.id!r}")
    return list(chosen.values())


def _called(name, found):
    """Return the claims of an id or a label."""
    instance("every entry of claims", name, str, "the id or label of a claim, or a Claim")
    labelled = [claim for key, claim in found.plugins.items() if name in (key, claim.label)]
    return labelled or [found.named("claims", name)]


def verify(
    problem: Problem,
    theta0: ArrayLike,
    claims: Sequence[str | Claim] | None = None,
    seed: Any = 0,
    name: str = "problem",
    progress: Callable | None = None,
    certify: bool = False,
) -> Records:
    """Check claims, each with its sabotages, on one problem.

    Parameters
    ----------
    problem : emmd.Problem
    theta0 : array_like of shape (p,)
        Where EM starts; rates are taken at the optimum it reaches.
    claims : sequence of str or Claim, optional
        Claim ids or labels, and `Claim` objects; all known claims by default.
    seed : int
        Seeds the random probes.
    name : str
        How the records call the problem.
    progress : callable, optional
        Called with the id of each claim when it is done.
    certify : bool
        Whether proofs in ball arithmetic are tried: claims whose numbers they cover are then *certified*, and
        the claims about certificates run as well. Needs python-flint.

    Returns
    -------
    Records
        A list of `Record` with `to_frame` and a table for notebooks.

    Raises
    ------
    ValueError, TypeError
        For an unknown claim or a bad start, and for `certify` without python-flint.
    """
    instance("name", name, str, "text")
    scopes = ("problem", "certificate") if flag("certify", certify) else ("problem",)
    return _run(claims, scopes, Lab(problem, theta0, seed), name, progress)


def verify_population(
    model: str, claims: Sequence[str | Claim] | None = None, seed: Any = 0, progress: Callable | None = None
) -> Records:
    """Check claims about the population of a symmetric model, each with its sabotages.

    Parameters
    ----------
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    claims : sequence of str, optional
        Claim ids or labels; all population claims by default.
    seed : int
        Seeds the random draws.
    progress : callable, optional
        Called with the id of each claim when it is done.

    Returns
    -------
    Records
        A list of `Record` with `to_frame` and a table for notebooks.
        Their `problem` is ``"population"``.

    Raises
    ------
    ValueError
        For an unknown claim or model.
    """
    return _run(claims, ("population",), PopulationLab(model, seed), "population", progress)


def _run(names, scopes, lab, name, progress):
    function_or_none("progress", progress)
    if "certificate" in scopes:
        require_balls()
    chosen = [claim for claim in select(names) if claim.scope in scopes]
    records = Records()
    for claim in chosen:
        # what overflows at a far probe is judged by its numbers, not by a warning
        try:
            with np.errstate(all="ignore"):
                record = check(claim, lab, name)
                records.append(_certified(record, claim, lab) if "certificate" in scopes else record)
        except Exception as error:
            # a user's claim may raise anything: whose it is would not show
            error.add_note(f"while claim {claim.id!r} was checked on {name}")
            raise
        if progress is not None:
            progress(claim.id)
    return records


def check(claim, lab, name="problem"):
    """Check one claim in one lab: assumptions, measurement, sabotages, symbolic proof."""
    blank = Record(
        claim.id,
        claim.statement,
        lab.model.name,
        name,
        str(claim.kind),
        Verdict.NOT_APPLICABLE,
        independent=claim.independent(lab.model),
        gauge=lab.gauge,
    )
    try:
        for assumption in claim.assumptions:
            reason = assumption(lab)
            instance(f"what an assumption of claim {claim.id!r} returns", reason, str, "text")
            if reason:
                return replace(blank, reason=reason)
        # comparisons are kept: sabotages are told from them
        comparisons = _measured(claim, lab)
    except FAILURES as error:
        return replace(blank, verdict=Verdict.INCONCLUSIVE, reason=f"the measurement failed: {error}")
    record = _judged(claim, comparisons, blank)
    return _with_sabotages(_with_proof(record, claim, lab), claim, lab, comparisons)


def _certified(record, claim, lab):
    """Return the record of a claim that holds with a proof in balls behind its numbers, or what was given."""
    if claim.certified is None or record.verdict is not Verdict.HOLDS:
        return record
    comparisons = list(claim.certified(lab))
    if not comparisons:
        return record
    judged = _judged(claim, comparisons, record)
    return replace(judged, verdict=Verdict.CERTIFIED) if judged.verdict is Verdict.HOLDS else judged


FAILURES = (np.linalg.LinAlgError, ArithmeticError)
"""What a measurement may raise where the numerics end: that decides nothing."""


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _measured(claim, lab, **variant):
    """Return a claim's comparisons; what overflows far off is seen by the judge, not by a warning."""
    measured = claim.measure(lab, **variant)
    if not np.iterable(measured):
        raise TypeError(f"measure of claim {claim.id!r} must yield comparisons, got {describe(measured)}")
    wanted = f"what measure of claim {claim.id!r} yields", Comparison, "a Comparison"
    return [instance(wanted[0], each, *wanted[1:]) for each in measured]


def _judged(claim, comparisons, blank):
    result = grade(claim.kind, comparisons, claim.resolution)
    judged = replace(blank, verdict=result.verdict, reason=result.reason)
    if result.worst is None:
        return judged
    worst = result.worst
    return replace(
        judged,
        predicted=worst.predicted,
        observed=worst.observed,
        # a budget without end leaves no slack to speak of
        slack=result.slack if np.isfinite(result.slack) else None,
        error_budget=worst.budget,
        tightness=_tightness(claim.kind, worst),
        compared=result.compared,
        undecided=result.undecided,
        resolution=result.resolution,
        where=dict(worst.where),
    )


def _tightness(kind, worst):
    if kind not in BOUNDS or worst.predicted == 0:
        return None
    return worst.observed / worst.predicted


def _with_proof(record, claim, lab):
    if not claim.proof:
        return record
    scalar = lab.formula
    if scalar is None:
        return record
    if not _proved(claim.proof, scalar):
        return replace(
            record, proof="not proved", verdict=Verdict.VIOLATED, reason="the symbolic residual is not 0"
        )
    return replace(record, proof="proved")


@cache
def _proved(label, scalar):
    # what is not a normalised exponential family has no mirror map to prove anything about
    return all(proved(each, scalar) for each in ("E0", label))


def _with_sabotages(record, claim, lab, comparisons):
    applicable = [sabotage for sabotage in claim.sabotages if sabotage.applies(lab)]
    judged = [_sabotaged(claim, sabotage, lab, comparisons) for sabotage in applicable]
    record = replace(record, sabotages=tuple(one for one, _ in judged))
    if record.verdict not in (Verdict.HOLDS, Verdict.VACUOUS):
        return record
    reason = _not_discriminating(record, any(answers for _, answers in judged))
    return replace(record, verdict=Verdict.NOT_DISCRIMINATING, reason=reason) if reason else record


def _not_discriminating(record, answers):
    """Return why a check could not have failed, or ""."""
    if not record.sabotages:
        return "no sabotage applies here"
    if any(one.verdict is Verdict.VIOLATED for one in record.sabotages):
        return ""
    if not answers:
        names = ", ".join(one.name for one in record.sabotages)
        return f"the checker does not see what its sabotages change: {names}"
    if record.resolution is None or record.resolution > COARSEST[record.kind in BOUNDS]:
        names = ", ".join(one.name for one in record.sabotages)
        return f"the checker refuted no false variant: {names}"
    return ""


COARSEST = {False: 0.1, True: 0.9}
"""A check that only refutes predictions further off than this share of their scale tells nothing apart; of a
bound, which need not be tight, one that does not refute a tenth of it."""


def _sabotaged(claim, sabotage, lab, comparisons):
    """Return how a sabotage fared, and whether it changes what is compared at all."""
    try:
        variant = _measured(claim, lab, **sabotage.variant)
    except FAILURES as error:
        return SabotageRecord(sabotage.name, Verdict.INCONCLUSIVE, where={"reason": str(error)}), False
    result = grade(claim.kind, variant, claim.resolution)
    answers = not same_numbers(variant, comparisons)
    if result.worst is None:
        return SabotageRecord(sabotage.name, Verdict.INCONCLUSIVE), False
    passed = result.verdict in (Verdict.HOLDS, Verdict.VACUOUS)
    verdict = Verdict.NOT_DISTINGUISHABLE if passed else result.verdict
    worst = result.worst
    smallest = _smallest(claim, sabotage, lab, comparisons, variant) if verdict is Verdict.VIOLATED else None
    sides = worst.predicted, worst.observed
    return SabotageRecord(sabotage.name, verdict, *sides, dict(worst.where), smallest), answers


def _smallest(claim, sabotage, lab, comparisons, variant):
    """Return the smallest deviation of a graded sabotage that is refuted, tried, not extrapolated."""
    if sabotage.truth is None or len(variant) != len(comparisons):
        return None
    gaps = [np.array([c.observed - c.predicted for c in each]) for each in (comparisons, variant)]
    budgets = np.array([c.budget for c in comparisons])
    changes = np.abs(gaps[1] - gaps[0])
    shares = (budgets + np.abs(gaps[0]))[changes > 0] / changes[changes > 0]
    share = float(np.min(shares, initial=1.0))
    [whole] = (abs(value - sabotage.truth) for value in sabotage.variant.values())
    # where the response to the deviation is not linear more of it is needed
    for wider in (2.0, 16.0, 128.0):
        if wider * share >= 1.0:
            break
        smaller = _measured(claim, lab, **sabotage.graded(wider * share))
        if grade(claim.kind, smaller, claim.resolution).verdict is Verdict.VIOLATED:
            return wider * share * whole
    return whole
