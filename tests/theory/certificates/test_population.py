"""Enclosures of population rates hold the quadrature's values, closed forms and forty digits of mpmath."""

import mpmath as mp
import numpy as np
import pytest

from emmd import theory

MODELS = ("symmoline", "symmologe")


def points(count):
    rng = np.random.default_rng(11)
    for k in range(count):
        snr_expert, snr_gate = 10.0 ** rng.uniform(np.log10(0.05), np.log10(30.0), 2)
        cosine = float(rng.choice([rng.uniform(-1.0, 1.0), 0.0, 1.0, -1.0, 0.999]))
        yield MODELS[k % 2], float(snr_expert), float(snr_gate), cosine


@pytest.mark.parametrize("point", list(points(16)))
def test_enclosures_hold_the_quadratures_rate(point):
    found, spectrum = theory.certify_population(*point), theory.population(*point)
    lower, upper = found.rate
    assert upper - lower < 1e-10
    assert lower - spectrum.error <= spectrum.rate(3) <= upper + spectrum.error


@pytest.mark.parametrize("d", [1, 2, 3])
def test_dimensions(d):
    point = "symmoline", 2.0, 1.0, 1.0
    lower, upper = theory.certify_population(*point, d=d).rate
    spectrum = theory.population(*point)
    assert lower - spectrum.error <= spectrum.rate(d) <= upper + spectrum.error


@pytest.mark.parametrize("snr", [0.3, 3.0])
def test_mixed_regression_against_forty_digits(snr):
    """S3: the rate is E[sech(y a)] / sqrt(1 + SNR^2), a = v SNR / sqrt(1 + SNR^2), in two integrals."""
    with mp.workdps(25):
        ratio = snr / mp.sqrt(1 + mp.mpf(snr) ** 2)

        def inner(v):
            bell = lambda y: mp.exp(-(y**2) / 2) / mp.sqrt(2 * mp.pi)  # noqa: E731
            return mp.quad(lambda y: bell(y) * mp.sech(y * v * ratio), [-10, 0, 10]) * bell(v)

        rate = mp.quad(inner, [-10, 0, 10]) / mp.sqrt(1 + mp.mpf(snr) ** 2)
    lower, upper = theory.certify_population("symmoline", snr, 0.0, 1.0).rate
    assert lower - 1e-14 <= rate <= upper + 1e-14


def test_singular_points_and_swaps():
    assert theory.certify_population("symmologe", 2.0, 2.0, 1.0).rate[1] == 1.0
    assert theory.certify_population("symmoline", 0.0, 1.0, 0.3).rate[1] == 1.0
    both = [theory.certify_population("symmologe", *snrs, 0.4).rate for snrs in ((1.0, 3.0), (3.0, 1.0))]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("moe", 1.0, 1.0, 0.0), "model must be one of"),
        (("symmoline", -1.0, 1.0, 0.0), "snr_expert must be between"),
        (("symmoline", 1.0, 1e3, 0.0), "snr_gate must be between"),
        (("symmoline", 1.0, 1.0, 2.0), "cosine must be between"),
        (("symmoline", 1.0, 1.0, 0.5, 1), "d must be at least 2"),
    ],
)
def test_bad_input(arguments, says):
    with pytest.raises(ValueError, match=says):
        theory.certify_population(*arguments)
