"""`emmd verify` on everything that it ships, ended by the first thing it would end with exit code 1 for."""

import sys

from experiments.expected import unexpected

from experiments.cases import default_cases
from theory.checker import broken_claims, check, select, verify_population
from theory.lab import Lab


def main():
    """Print the first surprise and exit with 1; print every number and exit with 0 where there is none."""
    broken = broken_claims()
    if broken:
        _surprised(next(iter(broken.values())).strip().splitlines()[-1])
    records = []
    for record in _records():
        if record.failed:
            _surprised(f"{record.claim} on {record.model} {record.problem}: {record.verdict}")
        for sentence in unexpected([record]):
            _surprised(sentence)
        records.append((record.claim, record.problem, record.predicted, record.observed, record.error_budget))
    print(hash(repr(records)))


def _records():
    claims = [claim for claim in select(None) if claim.scope == "problem"]
    for case in default_cases(None, 0):
        lab = Lab(case.problem, case.theta0, 0)
        for claim in claims:
            yield check(claim, lab, case.name)
    for model in ("symmoline", "symmologe"):
        for record in verify_population(model):
            if not record.reason.startswith("the statement is about"):
                yield record


def _surprised(sentence):
    print(sentence)
    sys.exit(1)


if __name__ == "__main__":
    main()
