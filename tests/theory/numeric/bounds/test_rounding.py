"""Bounds of rounding errors hold over sixteen decades in every scale, and are not wide for nothing."""

import numpy as np
import pytest

from emmd.theory.lab import Lab
from emmd.theory.numeric.bounds.rounding import (
    divergence_rounding,
    gradient_rounding,
    loss_rounding,
)
from tests.generators.exact import error, exact
from tests.generators.scales import KINDS, draw

# a divergence of Gamma experts far apart has terms that no loss has: one draw in fifty shows it
SEEDS = dict.fromkeys(KINDS, range(12)) | {"gamma": range(105)}
# below this share of the largest entry the oracle's own differences end
_ORACLE = 1e-50


def shares(kind, seed):
    """Return the errors of every quantity in units of their bounds."""
    problem, u, v = draw(kind, seed)
    oracle, lab = exact(problem), Lab(problem, u)
    loss_u, loss_v = (loss_rounding(problem, theta) for theta in (u, v))
    divergence, posterior = oracle.divergence(u, v), oracle.posterior_divergence(u, v)
    value = problem.divergence(u, v)
    responsibilities = problem.responsibilities(v)
    linear, of_linear = lab.linear_term(u, v)
    truth = oracle.loss(u) - oracle.loss(v) - divergence + posterior
    yield "loss", error(problem.loss(u), oracle.loss(u)) / loss_u
    yield "divergence", error(value, divergence) / divergence_rounding(problem, u, v, value)
    yield "posterior", error(problem.posterior_divergence(u, v), posterior) / lab.posterior_error(u, v)
    surrogate = error(problem.surrogate(responsibilities, u), oracle.surrogate(v, u))
    # both losses bound the terms of Q, up to the factor of the second expert's square
    yield "surrogate", surrogate / (4.0 * (loss_u + loss_v))
    if np.isfinite(linear):
        yield "linear term", error(linear, truth) / of_linear
    slopes = oracle.gradient(u)
    largest = max(float(abs(slope)) for slope in slopes)
    for value, slope, bound in zip(problem.gradient(u), slopes, gradient_rounding(problem, u)):
        if np.isfinite(bound) and abs(slope) > _ORACLE * largest:
            yield "gradient", error(value, slope) / bound


@pytest.fixture(scope="module")
def seen():
    found: dict = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for kind in KINDS:
            for seed in SEEDS[kind]:
                for name, share in shares(kind, seed):
                    found.setdefault((kind, name), []).append((share, seed))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_exceeds_its_bound(kind, seen):
    for (of, name), rows in seen.items():
        if of == kind:
            share, seed = max(rows)
            assert share <= 1.0, (name, f"seed {seed}", share)


@pytest.mark.parametrize("kind", KINDS)
def test_no_bound_is_wide_for_nothing(kind, seen):
    """A bound adds up moduli where errors cancel, and worst cases; a million times is something else."""
    for (of, name), rows in seen.items():
        if of == kind and name in ("loss", "gradient"):
            assert max(rows)[0] >= 1e-5, name
