"""Verdicts on shipped problems are written down; what differs from them is told."""

import json
from dataclasses import replace

import pytest

from emmd import theory
from emmd.experiments.cases.expected import PATH, unexpected, written
from emmd.experiments.cases.shipped import default_cases


@pytest.fixture(scope="module")
def records():
    case = next(default_cases(["symmoline"], 0))
    return theory.verify(case.problem, case.theta0, ["E1", "C1", "C5", "R1"], name=case.name)


def test_what_is_written_down_is_what_is_found(records):
    assert unexpected(records) == []


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": theory.Verdict.NOT_APPLICABLE},
        {"verdict": theory.Verdict.INCONCLUSIVE},
        {"resolution": 1e-3},
        {"resolution": None},
        {"problem": "unheard of"},
        {"sabotages": (theory.SabotageRecord("blunt", theory.Verdict.NOT_DISTINGUISHABLE),)},
        {"sabotages": ()},
    ],
)
def test_any_other_verdict_or_a_blunter_check_is_told(records, change):
    record = next(each for each in records if each.verdict == "holds" and each.claim.startswith("C1"))
    [sentence] = unexpected([replace(record, **change)])
    assert record.claim in sentence


def test_every_shipped_problem_and_claim_is_written_down():
    known = json.loads(PATH.read_text(encoding="utf-8"))
    names = {case.name for case in default_cases(["symmoline"], 0)} | {"population"}
    assert set(known["symmoline"]) == names
    problem_claims = {c.id for c in theory.claims().values() if c.scope == "problem"}
    known["symmoline"].pop("population")
    assert all(set(claims) == problem_claims for claims in known["symmoline"].values())


def test_the_table_of_records_is_what_the_file_holds(records):
    table = written(records)["symmoline"][records[0].problem]
    known = json.loads(PATH.read_text(encoding="utf-8"))["symmoline"][records[0].problem]
    assert {claim: entry[0] for claim, entry in table.items()} == {claim: known[claim][0] for claim in table}
