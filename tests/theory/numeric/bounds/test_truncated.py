"""Probit regression's bounds are bounds, nearly reached, and belong to its formula."""

import numpy as np
import pytest
from scipy.stats import norm

import emmd
from emmd.theory.lab import Lab
from emmd.theory.numeric.bounds.truncated import (
    TruncatedCurvature,
    hides_truncated_gaussian,
    truncated_variance,
)
from emmd.theory.numeric.rates.information import missing_information


@pytest.fixture(scope="module")
def lab():
    problem, theta0 = emmd.gallery.load("probit")
    return Lab(problem, theta0)


def rate(lab, theta):
    return missing_information(lab.problem, theta).rate


def test_the_variance_of_a_truncated_normal():
    t = np.array([-8.0, -1.0, 0.0, 0.5, 4.0])
    z = np.linspace(0.0, 16.0, 200_001)
    for at in t:
        density = norm.pdf(z, at) / np.trapezoid(norm.pdf(z, at), z)
        mean = np.trapezoid(z * density, z)
        spread = np.trapezoid((z - mean) ** 2 * density, z)
        assert truncated_variance(at) == pytest.approx(spread, rel=1e-6)
    exact = truncated_variance(np.linspace(-30.0, 40.0, 100_001))
    assert (np.diff(exact) >= -1e-12).all()
    assert exact[-1] <= 1.0
    # V(t) = 1/t^2 - 6/t^4 + ...
    far = np.array([-31.0, -1e3, -1e100])
    np.testing.assert_allclose(truncated_variance(far), 1.0 / far**2, rtol=1e-15)


def test_segments_and_hulls_are_bounded_and_the_bounds_are_nearly_reached(lab):
    start, end = np.random.default_rng(1).standard_normal((2, 3)) * 2.0
    bound = lab.curvature.segment(start, end, tolerance=0.05)
    seen = max(rate(lab, start + s * (end - start)) for s in np.linspace(0.0, 1.0, 60))
    assert seen <= bound.upper * (1.0 + 1e-9)
    assert rate(lab, bound.theta) == pytest.approx(bound.lower, rel=1e-9)
    assert bound.upper - bound.lower <= 0.05 * (1.0 - bound.lower) + 1e-12
    points = lab.theta0 + 0.1 * np.random.default_rng(2).standard_normal((3, 3))
    hull = lab.curvature.hull(points)
    assert (
        max(rate(lab, point) for point in (*points, points.mean(axis=0))) <= hull < 1.1 * rate(lab, points[0])
    )


def test_the_bounds_belong_to_the_formula_and_not_to_the_name(lab):
    assert isinstance(lab.curvature, TruncatedCurvature)
    data = lab.problem.data

    def other(numerator):
        model = emmd.LatentModel(
            3,
            lambda theta, x: x[None] @ theta,
            lambda eta: 0.5 * eta[0] ** 2,
            numerator,
            name="probit",
        )
        return Lab(emmd.Problem(model, lab.problem.X, data.y), lab.theta0)

    from jax.numpy import logaddexp

    wrong = other(lambda eta, y: 0.5 * eta[0] ** 2 - logaddexp(0.0, -1.7 * y * eta[0]))
    assert not hides_truncated_gaussian(wrong)
    with pytest.raises(ArithmeticError, match="no bound of the curvature"):
        _ = wrong.curvature
