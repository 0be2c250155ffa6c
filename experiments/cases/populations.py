"""The claims about populations in `emmd verify`: they need no data, so they run beside the others."""

from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from emmd.experiments.cases.shipped import MODELS
from emmd.experiments.console.consoles import progress
from emmd.theory.checker import found_claims, select, verify_population
from emmd.theory.verdict import Verdict


@contextmanager
def population_records(request, claims, beside):
    """Start the population claims; yields a function that returns their records.

    Parameters
    ----------
    request : Request
    claims : list of Claim
    beside : bool
        Whether other claims run meanwhile: then these run in a second process.

    Notes
    -----
    A claim that speaks of the other model only is left out, not listed as not applicable.
    """
    ids = [claim.id for claim in claims if claim.scope == "population"]
    asked = request.models or ["all"]
    models = list(MODELS) if "all" in asked else [name for name in asked if name in MODELS]
    if request.data is not None or request.model_file is not None or not ids or not models:
        yield list
    elif beside:
        # spawned, not forked: this process has threads
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool.submit(_run, models, ids, request.claim_files, request.seed).result
    else:
        yield lambda: _shown(models, ids, request.claim_files, request.seed)


def _run(models, ids, files, seed, advance=None):
    claims = select(ids, found_claims(files))
    records = [record for name in models for record in verify_population(name, claims, seed, advance)]
    elsewhere = ("the statement is about",)
    return [
        r for r in records if not (r.verdict is Verdict.NOT_APPLICABLE and r.reason.startswith(elsewhere))
    ]


def _shown(models, ids, files, seed):
    with progress(len(models) * len(ids), "verifying") as advance:
        return _run(models, ids, files, seed, advance)
