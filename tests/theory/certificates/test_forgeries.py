"""Certificates that claim more than is true, or were made of other data, are refused by the proof itself."""

from dataclasses import replace

import numpy as np
import pytest

import emmd
from emmd import theory


def test_a_changed_bit_of_the_data_is_seen(made):
    problem, _, found = made["symmologe"]
    for change in ("X", "y", "weights"):
        parts = {"X": problem.X.copy(), "y": problem.y.copy(), "weights": problem.weights.copy()}
        if change == "y":
            parts["y"][3] *= -1.0
        else:
            parts[change].flat[3] = np.nextafter(parts[change].flat[3], np.inf)
        other = emmd.Problem(problem.model, parts["X"], parts["y"], parts["weights"])
        assert "digest" in found.objection(other)


def test_with_the_digest_forged_other_data_are_refused(made):
    problem, start, found = made["symmologe"]
    rng = np.random.default_rng(0)
    other = emmd.Problem(problem.model, problem.X + 1e-6 * rng.standard_normal(problem.X.shape), problem.y)
    forged = replace(found, digest=theory.certify(other, start, max_steps=1).digest)
    assert "fails" in forged.objection(other)


def _forgeries(found):
    lower, upper = found.rate
    rho, proof = found.basin_rate, found.proof
    yield from ({name: 4.0 * getattr(found, name)} for name in ("basin_level", "basin_radius", "radius"))
    yield from ({name: np.nan} for name in ("basin_level", "basin_radius", "radius", "error", "basin_rate"))
    yield {"error": 0.0}
    # there is one stationary point in the ball only if theta* itself lies in it
    yield {"radius": 1e-3 * found.error}
    yield {"steps": found.steps - 1}
    yield {"steps": -1}
    yield {"basin_level": -found.basin_level}
    yield {"rate": (lower, lower)}
    yield {"rate": (upper, upper + 1e-10)}
    yield {"rate": (np.nan, upper)}
    yield {"basin_rate": rho - 0.1 * (rho - upper)}
    yield {"basin_rate": 1.0}
    yield {"proof": proof | {"convexity": -1.0, "whitened_radius": -1.0}}
    yield {"proof": proof | {"convexity": 4.0 * proof["convexity"]}}
    yield from ({"proof": proof | {"power": value}} for value in (np.nan, 1e300))
    yield {"proof": {}}
    yield {"optimum": found.optimum + 1e-9}
    yield {"optimum": found.optimum * np.inf}
    yield {"start": found.start * 1e-3}
    yield {"start": found.start[:2]}
    yield {"model": "symmologe" if found.model == "symmoline" else "symmoline"}
    yield {"reason": "none"}


@pytest.mark.parametrize("kind", ["symmoline", "symmologe"])
def test_certificates_that_claim_more_are_refused(made, kind):
    problem, start, _ = made[kind]
    found = theory.certify(problem, 0.5 * start)
    assert found.steps > 0
    assert found.check()
    for changes in _forgeries(found):
        assert not replace(found, **changes).check(), changes
