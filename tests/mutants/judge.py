"""`emmd verify --model all`, ended by the first thing it would end with exit code 1 for.

Run as ``python -m tests.mutants.judge answer [path] [parts]``: `answer` is the file for what was seen, `path`
the broken file, `parts` a file with the names of those parts of the work that the break can change; without
it all are done, and the functions that each calls are recorded.
"""

import hashlib
import json
import sys
import time
from contextlib import nullcontext
from importlib import import_module
from itertools import chain
from pathlib import Path

from emmd.experiments.cases.expected import unexpected
from emmd.experiments.cases.shipped import default_cases
from emmd.theory.checker import check, found_claims, select, verify_population
from emmd.theory.lab import Lab
from tests.mutants.calls import recorded


def main():
    """Print the first surprise and exit with 1; else write digests of every record, and exit with 0."""
    answer, path, chosen = [*sys.argv[1:], "", ""][:3]
    for text in found_claims().broken.values():
        _surprised(text.strip().splitlines()[-1])
    claims, digests, budgets, calls, times = _claims(path), [], [], {}, {}
    left = json.loads(Path(chosen).read_text()) if chosen else None
    # what comes later is not even drawn where a break shows before, or cannot reach it
    for name, part in chain(_population_parts(claims), _problem_parts(claims)):
        if left == []:
            break
        if name in calls or (left is not None and name not in left):
            continue
        began = time.monotonic()
        with recorded() if not chosen else nullcontext({}) as calls[name]:
            for record in part():
                _require_as_expected(record)
                digests.append(_digest(record, record.predicted, record.observed))
                budgets.append(_digest(record, record.error_budget))
        times[name] = time.monotonic() - began
        if left is not None:
            left.remove(name)
    seen = {"digests": digests, "budgets": budgets, "calls": calls, "times": times}
    Path(answer).write_text(json.dumps(seen))


def _require_as_expected(record):
    if record.failed:
        _surprised(f"{record.claim} on {record.model} {record.problem}: {record.verdict}")
    for sentence in unexpected([record]):
        _surprised(sentence)


def _digest(record, *numbers):
    return hashlib.sha256(repr((record.claim, record.problem, *numbers)).encode()).hexdigest()[:16]


def _claims(path):
    """Return all claims, or that of a claim's own file."""
    if not path.startswith("theory/claims/"):
        return select(None)
    module = import_module("emmd." + path.removesuffix(".py").replace("/", "."))
    return [claim for claim in select(None) if claim in vars(module).values()] or select(None)


def _problem_parts(claims):
    """Yield names and parts, those of the main job first: most breaks show there."""
    chosen = [claim for claim in claims if claim.scope == "problem"]

    def part(case):
        lab = Lab(case.problem, case.theta0, 0)
        return (check(claim, lab, case.name) for claim in chosen)

    for case in chain(default_cases(None, 0), default_cases(["all"], 0)) if chosen else ():
        yield f"{case.problem.model.name} {case.name}", lambda case=case: part(case)


def _population_parts(claims):
    chosen = [claim for claim in claims if claim.scope == "population"]

    def part(model):
        for record in verify_population(model, chosen):
            if not record.reason.startswith("the statement is about"):
                yield record

    for model in ("symmoline", "symmologe") if chosen else ():
        yield f"population of {model}", lambda model=model: part(model)


def _surprised(sentence):
    print(sentence)
    sys.exit(1)


if __name__ == "__main__":
    main()
