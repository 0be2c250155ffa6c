"""What `emmd verify` must say of the problems that it ships: anything else is a fault of emmd.

Code that decides whether it is tested can switch its own test off: a wrong information matrix makes every
rate not applicable, a budget a million times too wide lets everything pass. So the verdicts on shipped
problems are written down, with the resolution that every claim reaches and the sabotages that it refutes.
"""

import json
import sys
from pathlib import Path

from emmd.theory.verdict import Verdict

PATH = Path(__file__).with_name("expected_verdicts.json")
_BLUNTER = 10.0
"""How much coarser a resolution may be on another processor."""


def unexpected(records, path=PATH):
    """Return sentences about records that are not as written down; none is a pass.

    Parameters
    ----------
    records : list of Record
        Of shipped problems with seed 0.
    path : Path, optional

    Returns
    -------
    list of str
    """
    known = json.loads(path.read_text(encoding="utf-8"))
    return [says for record in records for says in _compare(record, known)]


def _compare(record, known):
    name = f"{record.claim} on {record.model} {record.problem}"
    entry = known.get(record.model, {}).get(record.problem, {}).get(record.claim)
    if entry is None:
        yield f"{name}: nothing is written down; then run python -m emmd.experiments.cases.expected"
        return
    verdict, resolution, refuted = entry
    if record.verdict != verdict:
        yield f"{name}: {record.verdict}, expected {verdict}. {record.reason}"
        return
    if resolution is not None and not _at_least_as_sharp(record.resolution, resolution):
        yield f"{name}: resolution {record.resolution}, expected {resolution}"
    # one that no longer applies is missed too: a wrong symmetry would switch its own sabotage off
    missed = [each for each in refuted if each not in _refuted(record)]
    if missed:
        yield f"{name}: not refuted, as expected it should be: {', '.join(missed)}"


def _refuted(record):
    return sorted(one.name for one in record.sabotages if one.verdict is Verdict.VIOLATED)


def _at_least_as_sharp(found, expected):
    return found is not None and found <= _BLUNTER * expected


def written(records):
    """Return the table of records, as the file holds it."""
    table: dict = {}
    for record in records:
        resolution = None if record.resolution is None else float(f"{record.resolution:.1e}")
        entry = [str(record.verdict), resolution, _refuted(record)]
        table.setdefault(record.model, {}).setdefault(record.problem, {})[record.claim] = entry
    return table


def main(claims=None):
    """Write the file from a run of everything, for a maintainer to read through in the change it makes.

    Parameters
    ----------
    claims : list of str, optional
        Ids or labels whose entries alone are written anew, where not all are.
    """
    from emmd.experiments.cases.shipped import MODELS, default_cases
    from emmd.theory.checker import select, verify, verify_population

    scopes = {
        scope: [c for c in select(claims or None) if c.scope == scope] for scope in ("problem", "population")
    }
    cases = default_cases(["all"], 0) if scopes["problem"] else []
    records = [
        record
        for case in cases
        for record in verify(case.problem, case.theta0, scopes["problem"], name=case.name)
    ]
    for model in MODELS if scopes["population"] else ():
        records += verify_population(model, scopes["population"])
    write(records, PATH if claims else None)


def write(records, beside=None):
    """Write the file from records, and what else it holds, where that is to be kept."""
    table = {} if beside is None else json.loads(beside.read_text(encoding="utf-8"))
    for model, problems in written(records).items():
        for problem, entries in problems.items():
            table.setdefault(model, {}).setdefault(problem, {}).update(entries)
            table[model][problem] = dict(sorted(table[model][problem].items()))
    PATH.write_text(_laid_out(table), encoding="utf-8")


def _laid_out(table):
    """Return JSON with a line for each claim, so that a change of the file reads like a table."""
    models = []
    for model, problems in table.items():
        parts = []
        for problem, claims in problems.items():
            lines = [f"   {json.dumps(claim)}: {json.dumps(entry)}" for claim, entry in claims.items()]
            parts.append(f"  {json.dumps(problem)}: {{\n" + ",\n".join(lines) + "\n  }")
        models.append(f" {json.dumps(model)}: {{\n" + ",\n".join(parts) + "\n }")
    return "{\n" + ",\n".join(models) + "\n}\n"


if __name__ == "__main__":
    main(sys.argv[1:])
