"""Enclosures of population rates hold the quadrature's values, and closed forms."""

import numpy as np
import pytest

from emmd import theory
from emmd.theory.certificates.balls import precision
from emmd.theory.certificates.population.spectrum import blocks, direction_of
from emmd.theory.certificates.population.trapezoid import logistic_moments

MODELS = ("symmoline", "symmologe")


def points(count):
    rng = np.random.default_rng(11)
    for k in range(count):
        snr_expert, snr_gate = 10.0 ** rng.uniform(np.log10(0.05), np.log10(30.0), 2)
        cosine = float(rng.choice([rng.uniform(-1.0, 1.0), 0.0, 1.0, -1.0, 0.999]))
        yield MODELS[k % 2], float(snr_expert), float(snr_gate), cosine


@pytest.mark.parametrize("point", list(points(10)))
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


@pytest.mark.parametrize("snr", [0.05, 0.3, 3.0, 30.0])
def test_mixed_regression_against_a_law_of_its_own(snr):
    """S3: the rate is E[sech(y a)] / sqrt(1 + SNR^2), a = v SNR / sqrt(1 + SNR^2); y, v standard normal."""
    step = 0.05
    v = step * np.arange(-180, 181)
    density = step * np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi)
    sech = 1.0 / np.cosh(np.outer(v, v) * (snr / np.sqrt(1.0 + snr**2)))
    rate = (density @ sech @ density) / np.sqrt(1.0 + snr**2)
    lower, upper = theory.certify_population("symmoline", snr, 0.0, 1.0).rate
    assert upper - lower < 1e-12
    assert lower - 1e-14 <= rate <= upper + 1e-14


def test_the_experts_block_comes_first():
    """Bounds on boxes join the blocks of two corners, whichever SNR is the larger in each."""
    with precision():
        for pair in ((5.0, 1.0), (1.0, 5.0)):
            (complete, _), (across, _) = blocks("symmologe", *pair, direction_of(0.3), None, 30.0)
            for k, snr in enumerate(pair):
                expected = [float(each.mid()) for each in logistic_moments(snr, 30.0)]
                assert [float(complete[2 * k + i, 2 * k + i].mid()) for i in (0, 1)] == pytest.approx(
                    expected
                )
                assert float(across[k, k].mid()) == pytest.approx(expected[1])


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
