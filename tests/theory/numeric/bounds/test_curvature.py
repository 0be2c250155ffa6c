"""Bounds of lambda_max(M) on segments and hulls are bounds, and nearly reached."""

import numpy as np
import pytest

import emmd
from emmd.theory.lab import Lab
from emmd.theory.numeric.bounds.curvature import Curvature, bump
from emmd.theory.numeric.rates.information import missing_information


def lab_of(kind, seed, leverage=None, prior=0.0):
    rng = np.random.default_rng([seed, *kind.encode()])
    model = emmd.SymMoLinE(2, sigma=0.7) if kind == "symmoline" else emmd.SymMoLogE(2)
    X = rng.standard_normal((200, 2))
    if leverage is not None:
        X[0, 0] = leverage
    theta = rng.standard_normal(4)
    y = model.sample_y(theta, X, seed)
    if prior:
        model = emmd.ConjugatePrior(model, prior, 0.5 * theta)
    return Lab(emmd.Problem(model, X, y, rng.uniform(0.1, 2.0, 200)), theta)


def rate(lab, theta):
    return missing_information(lab.problem, theta).rate


@pytest.mark.parametrize("kind", ["symmoline", "symmologe"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_a_segment_is_bounded_and_the_bound_is_nearly_reached(kind, seed, prior):
    lab = lab_of(kind, seed, prior=prior)
    start, end = np.random.default_rng(seed).standard_normal((2, 4)) * 2.0
    bound = lab.curvature.segment(start, end, tolerance=0.02)
    seen = max(rate(lab, start + s * (end - start)) for s in np.linspace(0.0, 1.0, 400))
    assert seen <= bound.upper * (1.0 + 1e-12)
    # a peak between the points of the grid is found, and is one
    assert bound.lower <= max(seen, rate(lab, bound.theta)) + 1e-9
    assert rate(lab, bound.theta) == pytest.approx(bound.lower, rel=1e-9)
    assert bound.upper - bound.lower <= 0.02 * max(min(abs(1 - bound.lower), bound.lower), 1e-3) + 1e-12


def test_a_dip_between_any_two_samples_is_in_the_bound():
    """One row of leverage 100: a few points on the segment see nothing of what lies between them."""
    lab = lab_of("symmoline", 1, leverage=100.0)
    start, end = lab.theta0, lab.theta0 * np.array([-1.0, 1.0, -0.8, 1.0])
    fine = max(rate(lab, start + s * (end - start)) for s in np.linspace(0.0, 1.0, 4001))
    coarse = max(rate(lab, start + s * (end - start)) for s in np.linspace(0.0, 1.0, 9))
    assert coarse < 0.5 * fine
    assert lab.curvature.segment(start, end).upper >= fine


@pytest.mark.parametrize("kind", ["symmoline", "symmologe"])
def test_a_hull_is_bounded(kind):
    lab = lab_of(kind, 3)
    rng = np.random.default_rng(0)
    points = lab.theta0 + 0.1 * rng.standard_normal((5, 4))
    bound = lab.curvature.hull(points)
    inside = [rng.dirichlet(np.ones(5)) @ points for _ in range(200)]
    seen = max(rate(lab, theta) for theta in inside)
    assert seen <= bound <= 2.0 * seen


def test_bends_bound_the_second_derivative():
    """f'' lies in [-1/8, 1/24], and is negative next to 0 only."""
    t = np.linspace(-8.0, 8.0, 20001)
    h = t[1] - t[0]
    second = (bump(t + h) - 2.0 * bump(t) + bump(t - h)) / h**2
    assert -0.125 - 1e-4 <= second.min() <= -0.125 + 1e-4
    assert second.max() == pytest.approx(1.0 / 24.0, abs=1e-4)
    assert np.abs(t[second < -1e-6]).max() <= 1.31696
    assert (second <= bump(t) + 1e-6).all()


def test_a_loss_without_a_formula_has_no_bound():
    lab = lab_of("symmoline", 0)
    with pytest.raises(ArithmeticError, match="no bound"):
        Curvature(lab.problem, None)
