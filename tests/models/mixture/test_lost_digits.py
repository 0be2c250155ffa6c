"""Families whose natural parameters lose small numbers beside large ones: predictors keep them."""

import mpmath
import numpy as np
import pytest

import emmd
from emmd.core.protocols.family import family_object
from emmd.fits.glm import log_shape
from tests.generators.other_problems import draw_other

FAMILIES = ("negative_binomial", "zero_inflated_poisson")


@pytest.mark.parametrize("name", FAMILIES)
def test_moments_at_predictors_are_those_of_natural_parameters_where_both_have_digits(name):
    family, xi = family_object(name), np.random.default_rng(0).uniform(-2.0, 2.0, (50, 2))
    nu = family.natural(xi)
    np.testing.assert_allclose(family.mean_at(xi), family.mean(nu), rtol=1e-12)
    np.testing.assert_allclose(family.variance_at(xi), family.variance(nu), rtol=1e-11)


@pytest.mark.parametrize("name", FAMILIES)
def test_moments_keep_a_small_dispersion_beside_a_mean_of_1e20(name):
    """Of m + alpha, or rho - m, natural parameters keep m alone."""
    family, xi = family_object(name), np.array([[46.0, -3.0]])
    m, alpha = mpmath.exp(46), mpmath.exp(-3)
    if name == "negative_binomial":
        mean = [m, 1, mpmath.digamma(alpha) - mpmath.log(alpha)]
        spread = m + m * m / alpha
    else:
        share = alpha / (1 + alpha)
        mean, spread = [share * m, share], share * m + share * (1 - share) * m * m
    np.testing.assert_allclose(family.mean_at(xi)[0], np.array(mean, float), rtol=1e-13)
    assert family.variance_at(xi)[0, 0, 0] == pytest.approx(float(spread), rel=1e-13)


def test_the_log_of_a_rate_is_known_where_a_zero_stands_against_a_mean_of_1e20():
    """(y - m) / (m + alpha) is -1 to all digits, and the log of what is left was -inf."""
    family = family_object("negative_binomial")
    log_rate = family.expected_statistics(np.zeros(1), np.array([[46.0, -3.0]]))[0, 2]
    alpha = mpmath.exp(-3)
    expected = mpmath.digamma(alpha) - mpmath.log(mpmath.exp(46) + alpha)
    assert log_rate == pytest.approx(float(expected), rel=1e-13)


def test_a_shape_that_no_excess_is_too_large_for():
    assert log_shape(np.inf) == -np.inf
    assert np.isnan(log_shape(np.nan))
    assert log_shape(0.0) == np.inf


@pytest.mark.parametrize("name", FAMILIES)
def test_sizes_of_the_terms_of_a_density_are_finite(name):
    """A run compares losses by them: without a number it took any step for a rise."""
    family, y = family_object(name), np.array([0.0, 3.0, 1e5])
    for xi in ([88.0, -2.5], [-40.0, 3.0], [12.0, -12.0]):
        rows = np.tile(xi, (3, 1))
        sizes, density = family.cancellation(y, rows), family.log_density(y, rows)
        assert np.isfinite(sizes).all()
        assert (sizes >= np.abs(density) * (1.0 - 1e-12)).all()


def test_em_goes_on_while_its_likelihood_rises():
    """An expert's mean runs to e^88: EM ended there, as if the loss had increased."""
    drawn = draw_other(17, 200)
    run = emmd.minimize(drawn.problem, drawn.theta0, max_iter=300)
    assert run.nit == 300
    assert run.fun < 6.72
