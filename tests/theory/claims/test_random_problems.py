"""Problems of every kind, drawn by seeds: theorems are never violated, and few checks decide nothing."""

import os

import numpy as np
import pytest

from emmd import theory
from emmd.theory.verdict import Verdict
from tests.generators.problems import draw

SOAK = bool(os.environ.get("EMMD_SOAK"))
COUNT = 10_000 if SOAK else 300
_ROWS = 5000 if SOAK else 90
_BATCHES = 60 if SOAK else 20


@pytest.fixture(scope="session")
def tally():
    """Verdicts of all batches that ran in this process, for the shares."""
    return []


@pytest.mark.soak
@pytest.mark.parametrize("batch", range(_BATCHES))
def test_no_theorem_is_violated(batch, tally):
    """Every problem is legitimate, so a violation is a false verdict; few checks decide nothing."""
    verdicts = []
    for seed in range(batch, COUNT, _BATCHES):
        drawn = draw(seed, _ROWS)
        for record in theory.verify(drawn.problem, drawn.theta0):
            assert record.verdict is not Verdict.VIOLATED, (drawn.says, record)
            for value in (record.predicted, record.observed, record.slack):
                assert value is None or np.isfinite(value), (drawn.says, record)
            verdicts.append((record.verdict, record.claim, drawn.says, record.reason))
    tally.extend(verdicts)
    _require_few(tally, Verdict.INCONCLUSIVE, 0.02)
    _require_few(tally, Verdict.NOT_DISCRIMINATING, 0.005)


def _require_few(tally, verdict, share):
    found = [rest for each, *rest in tally if each is verdict]
    # a batch is a sample: three standard deviations of a count beside the share itself
    allowed = share * len(tally) + 3.0 * np.sqrt(share * len(tally)) + 1.0
    assert len(found) <= allowed, found
