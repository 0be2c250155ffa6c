"""`emmd verify` on everything that it ships, ended by the first thing it would end with exit code 1 for.

Run as ``python -m tests.mutants.judge [path]``. What a broken file at `path` cannot change is left out, and
what it is most likely to change comes first.
"""

import sys
from importlib import import_module
from itertools import chain

from emmd.experiments.cases.expected import unexpected
from emmd.experiments.cases.shipped import default_cases
from emmd.theory.checker import check, found_claims, select, verify_population
from emmd.theory.lab import Lab


def main():
    """Print the first surprise and exit with 1; print a digest of every number and exit with 0 else."""
    path = sys.argv[1] if len(sys.argv) > 1 else ""
    for text in found_claims().broken.values():
        _surprised(text.strip().splitlines()[-1])
    claims, numbers = _claims(path), []
    parts = [_population_records(claims), _problem_records(claims)]
    for record in chain(*parts[:: 1 if path.startswith("theory/population") else -1]):
        if record.failed:
            _surprised(f"{record.claim} on {record.model} {record.problem}: {record.verdict}")
        for sentence in unexpected([record]):
            _surprised(sentence)
        numbers.append((record.claim, record.problem, record.predicted, record.observed, record.error_budget))
    print(hash(repr(numbers)))


def _claims(path):
    """Return all claims, or that of a claim's own file."""
    if not path.startswith("theory/claims/"):
        return select(None)
    module = import_module("emmd." + path.removesuffix(".py").replace("/", "."))
    return [claim for claim in select(None) if claim in vars(module).values()] or select(None)


def _problem_records(claims):
    chosen = [claim for claim in claims if claim.scope == "problem"]
    for case in default_cases(None, 0) if chosen else []:
        lab = Lab(case.problem, case.theta0, 0)
        for claim in chosen:
            yield check(claim, lab, case.name)


def _population_records(claims):
    chosen = [claim for claim in claims if claim.scope == "population"]
    for model in ("symmoline", "symmologe") if chosen else ():
        for record in verify_population(model, chosen):
            if not record.reason.startswith("the statement is about"):
                yield record


def _surprised(sentence):
    print(sentence)
    sys.exit(1)


if __name__ == "__main__":
    main()
