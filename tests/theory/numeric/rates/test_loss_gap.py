"""The gap of two losses nearby: within its bound over sixteen decades, and known where losses hide it."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.theory.numeric.bounds.rounding import loss_rounding
from emmd.theory.numeric.rates.loss_gap import loss_gap
from emmd.theory.verdict import Verdict
from tests.generators.exact import error, exact
from tests.generators.scales import KINDS, draw

SEEDS = range(6)
_NEAR = 1e-5
"""Of the distance of two points, whose predictors differ by 300 at most: the rule's error is 1e-17 of it."""


def shares(kind):
    for seed in SEEDS:
        problem, u, v = draw(kind, seed)
        v = u + _NEAR * (v - u)
        value, bound = loss_gap(problem, u, v)
        if np.isfinite(bound) and bound > 0:
            oracle = exact(problem)
            yield error(value, oracle.loss(v) - oracle.loss(u)) / bound


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_is_within_its_bound_which_is_not_wide_for_nothing(kind):
    with np.errstate(over="ignore", invalid="ignore"):
        found = list(shares(kind))
    assert len(found) >= 3
    assert 1e-5 <= max(found) <= 1.0


def poisson():
    """Return counts of 1e5, whose loss is known to 1e-9 only, next to their optimum."""
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.standard_normal(300), np.ones(300)])
    model = emmd.MixtureOfExperts(2, 2, family="poisson")
    truth = model.pack(coef=[[[0.3, 11.5]], [[-0.3, 11.52]]], gate=[[0.5, 0.2]])
    return emmd.Problem(model, X, model.sample_y(truth, X, 2)), truth


def test_it_tells_more_than_the_difference_of_the_losses():
    problem, truth = poisson()
    found = emmd.minimize(problem, truth, tol=1e-12)
    near = found.x + 1e-3 / problem.model.parameter_scale(problem.data) / np.sqrt(1e5)
    value, bound = loss_gap(problem, found.x, near)
    assert value == pytest.approx(problem.loss(near) - found.fun, abs=2.0 * loss_rounding(problem, near))
    assert bound < 1e-3 * loss_rounding(problem, near)


def noise():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2))
    model, truth = emmd.SymMoLinE(2, sigma=1e-3), np.array([1e-3, 5e-4, 0.7, -0.4])
    return emmd.Problem(model, X, model.sample_y(truth, X, 1)), truth


def labels():
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.standard_normal(500), np.ones(500)])
    model = emmd.MixtureOfExperts(2, 2, family="bernoulli")
    truth = model.pack(coef=[[[2.0, 0.5]], [[-2.0, 1.0]]], gate=[[0.5, 0.2]])
    return emmd.Problem(model, X, model.sample_y(truth, X, 2)), truth


@pytest.mark.parametrize("make", [noise, labels])
def test_l1_decides_where_losses_hide_the_ratio(make):
    record = theory.verify(*make(), ["L1"])[0]
    assert record.verdict is Verdict.HOLDS, record
    assert record.resolution < 1e-3
