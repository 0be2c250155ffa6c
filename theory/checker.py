"""Run claims with their sabotages on a problem: the records that `emmd verify` prints."""

from dataclasses import replace
from functools import cache

import numpy as np

from emmd.core.checks import describe, function_or_none, instance, known_name
from emmd.core.discover import discover
from theory import claims as claim_files
from theory.claim import Claim, Kind
from theory.lab import Lab
from theory.population.lab import PopulationLab
from theory.verdict import Record, SabotageRecord, Verdict, grade


def claims():
    """Return the known claims by id, as found in theory/claims."""
    return discover(claim_files.__name__, Claim).plugins


def broken_claims():
    """Return the tracebacks of claim files that could not be imported, by module."""
    return discover(claim_files.__name__, Claim).broken


def select(names):
    """Return the claims with the given ids; a label such as ``"C1"`` selects all claims that carry it.

    Raises
    ------
    ValueError
        For an unknown id, with the nearest known one.
    """
    if names is None:
        return list(claims().values())
    if isinstance(names, str | bytes) or not np.iterable(names):
        raise TypeError(f"claims must be a list of claim ids or None, got {describe(names)}")
    chosen: dict = {}
    for name in names:
        instance("every entry of claims", name, str, "the id or label of a claim")
        matching = {key: claim for key, claim in claims().items() if name in (key, claim.label)}
        chosen |= matching or {name: claims()[known_name("claims", name, claims())]}
    return list(chosen.values())


def verify(problem, theta0, claims=None, seed=0, name="problem", progress=None):
    """Check claims, each with its sabotages, on one problem.

    Parameters
    ----------
    problem : emmd.Problem
    theta0 : array_like of shape (p,)
        Where EM starts; rates are taken at the optimum it reaches.
    claims : sequence of str, optional
        Claim ids or labels; all claims by default.
    seed : int
        Seeds the random probes.
    name : str
        How the records call the problem.
    progress : callable, optional
        Called with the id of each claim when it is done.

    Returns
    -------
    list of Record

    Raises
    ------
    ValueError, TypeError
        For an unknown claim or a bad start.
    """
    instance("name", name, str, "text")
    return _run(claims, "problem", Lab(problem, theta0, seed), name, progress)


def verify_population(model, claims=None, seed=0, progress=None):
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
    list of Record
        Their `problem` is ``"population"``.

    Raises
    ------
    ValueError
        For an unknown claim or model.
    """
    return _run(claims, "population", PopulationLab(model, seed), "population", progress)


def _run(names, scope, lab, name, progress):
    function_or_none("progress", progress)
    chosen = [claim for claim in select(names) if claim.scope == scope]
    records = []
    for claim in chosen:
        # what overflows at a far probe is judged by its numbers, not by a warning
        with np.errstate(all="ignore"):
            records.append(check(claim, lab, name))
        if progress is not None:
            progress(claim.id)
    return records


def check(claim, lab, name="problem"):
    """Check one claim in one lab: assumptions, measurement, sabotages, symbolic proof."""
    blank = Record(claim.id, claim.statement, lab.model.name, name, str(claim.kind), Verdict.NOT_APPLICABLE)
    for assumption in claim.assumptions:
        reason = assumption(lab)
        if reason:
            return replace(blank, reason=reason)
    try:
        record = _judged(claim, lab, blank)
    except (np.linalg.LinAlgError, ArithmeticError) as error:
        return replace(blank, verdict=Verdict.INCONCLUSIVE, reason=f"the measurement failed: {error}")
    return _with_sabotages(_with_proof(record, claim, lab), claim, lab)


def _judged(claim, lab, blank):
    result = grade(claim.kind, claim.measure(lab), claim.resolution)
    if result.worst is None:
        return replace(blank, verdict=Verdict.INCONCLUSIVE, reason="no comparison could be made")
    worst = result.worst
    return replace(
        blank,
        verdict=result.verdict,
        predicted=worst.predicted,
        observed=worst.observed,
        slack=result.slack,
        error_budget=worst.budget,
        tightness=_tightness(claim.kind, worst),
        compared=result.compared,
        undecided=result.undecided,
        where=dict(worst.where),
    )


def _tightness(kind, worst):
    if kind in (Kind.IDENTITY, Kind.RATE) or worst.predicted == 0:
        return None
    return worst.observed / worst.predicted


def _with_proof(record, claim, lab):
    if not claim.proof:
        return record
    proved = _proved(claim.proof, lab.model.name)
    if proved is None:
        return record
    if not proved:
        return replace(
            record, proof="not proved", verdict=Verdict.VIOLATED, reason="the symbolic residual is not 0"
        )
    return replace(record, proof="proved")


@cache
def _proved(label, model):
    # sympy takes a third of a second to import: only when a claim has a proof
    from theory.symbolic import model_names, prove

    return prove(label, model).proved if model in model_names() else None


def _with_sabotages(record, claim, lab):
    judged = tuple(_sabotaged(claim, sabotage, lab) for sabotage in claim.sabotages if sabotage.applies(lab))
    survivors = [s.name for s in judged if s.verdict is not Verdict.VIOLATED]
    if survivors and record.verdict in (Verdict.HOLDS, Verdict.VACUOUS):
        reason = f"the checker did not refute: {', '.join(survivors)}"
        return replace(record, sabotages=judged, verdict=Verdict.NOT_DISCRIMINATING, reason=reason)
    return replace(record, sabotages=judged)


def _sabotaged(claim, sabotage, lab):
    try:
        result = grade(claim.kind, claim.measure(lab, **sabotage.variant), claim.resolution)
    except (np.linalg.LinAlgError, ArithmeticError) as error:
        return SabotageRecord(sabotage.name, Verdict.INCONCLUSIVE, where={"reason": str(error)})
    if result.worst is None:
        return SabotageRecord(sabotage.name, Verdict.INCONCLUSIVE)
    worst = result.worst
    return SabotageRecord(sabotage.name, result.verdict, worst.predicted, worst.observed, dict(worst.where))
