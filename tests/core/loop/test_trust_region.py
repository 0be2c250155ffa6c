"""Newton's method in a trust region: off saddles, out to suprema at infinity, and never to NaN."""

import numpy as np
import pytest

import emmd
from emmd.core.loop.solve import em_displacement
from emmd.core.loop.trust_region import trust_region
from emmd.estimators.starts.draw import draw_starts
from tests.generators.fitting import draw

RNG = np.random.default_rng(3)
X = np.column_stack([RNG.standard_normal((200, 2)), np.ones(200)])


def test_it_leaves_a_saddle_that_holds_em_and_ends_at_an_optimum():
    y = np.where(RNG.random(200) < 0.5, X @ [1.0, 1.0, 1.0], X @ [-1.0, 0.5, -1.0]) + 0.3 * X[:, 0] ** 2
    problem = emmd.Problem(emmd.MixtureOfExperts(3, 2), X, y)
    # equal experts are a stationary point
    saddle = problem.m_step(np.full((200, 2), 0.5), np.zeros(problem.n_params)).theta
    assert np.linalg.norm(problem.em_step(saddle) - saddle) < 1e-8
    nudged = saddle + 1e-4 * RNG.standard_normal(len(saddle))
    found = trust_region(problem, nudged)
    assert problem.loss(found) < problem.loss(saddle) - 0.1
    assert em_displacement(problem, found, problem.gradient(found)) < 1e-7


def test_it_comes_nearer_to_a_supremum_at_infinity_than_em():
    drawn = draw(17)
    problem = emmd.Problem(emmd.MixtureOfExperts(3, 2, family="bernoulli"), drawn.Z, drawn.y)
    start = draw_starts(problem, 1, 0)[0].theta
    slow = emmd.minimize(problem, start, max_iter=100)
    found = trust_region(problem, slow.x)
    assert problem.loss(found) < slow.fun - 1e-5
    assert abs(problem.gradient(found)).max() < 1e-8
    assert abs(found).max() > 100.0


@pytest.mark.parametrize("size", [1.0, 300.0, 700.0])
def test_what_overflows_on_the_way_is_not_returned(size):
    y = RNG.poisson(np.exp(0.3 * X[:, 0])).astype(float)
    problem = emmd.Problem(emmd.MixtureOfExperts(3, 2, family="poisson"), X, y)
    start = np.zeros(problem.n_params)
    # a steep expert that no row needs
    start[:3], start[-1] = [size, 0.0, 0.0], -1e3
    found = trust_region(problem, start)
    assert np.isfinite(found).all()
    assert problem.loss(found) <= problem.loss(start)
