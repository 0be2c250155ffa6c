"""The claims about populations in `emmd verify`: they need no data, so they run beside the others."""

from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from emmd.experiments.cases.shipped import MODELS
from emmd.experiments.console.consoles import progress
from emmd.theory.checker import select, verify_population
from emmd.theory.verdict import Verdict


@contextmanager
def population_records(request, beside):
    """Start the population claims; yields a function that returns their records.

    Parameters
    ----------
    request : Request
    beside : bool
        Whether other claims run meanwhile: then these run in a second process.

    Notes
    -----
    A claim that speaks of the other model only is left out, not listed as not applicable.
    """
    ids = [claim.id for claim in select(request.claims) if claim.scope == "population"]
    models = [name for name in request.models or MODELS if name in MODELS]
    if request.data is not None or not ids or not models:
        yield list
    elif beside:
        # spawned, not forked: this process has threads
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield pool.submit(_run, models, ids, request.seed).result
    else:
        yield lambda: _shown(models, ids, request.seed)


def _run(models, ids, seed, advance=None):
    records = [record for name in models for record in verify_population(name, ids, seed, advance)]
    elsewhere = ("the statement is about",)
    return [
        r for r in records if not (r.verdict is Verdict.NOT_APPLICABLE and r.reason.startswith(elsewhere))
    ]


def _shown(models, ids, seed):
    with progress(len(models) * len(ids), "verifying") as advance:
        return _run(models, ids, seed, advance)
