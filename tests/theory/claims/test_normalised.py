"""E0: A and A_y that do not belong together are found, where y can be summed, integrated or drawn."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.theory.claims.equivalence import e0_normalised
from emmd.theory.lab import Lab
from emmd.theory.numeric.mass.total import _ripple, total_mass


def mass(model, y, theta, X=None):
    [record] = theory.verify(emmd.Problem(model, X, y), theta, ["E0"])
    return record


def poissons(fault=0.0, **options):
    """Two Poisson distributions, with A off by a constant factor or not."""
    return emmd.LatentModel(
        2,
        lambda theta, x: np.concatenate([theta, -np.log(2.0) - np.exp(theta)]),
        lambda eta: np.log(np.exp(eta[2] + np.exp(eta[0])) + np.exp(eta[3] + np.exp(eta[1]))) + fault,
        lambda eta, y: np.log(np.exp(eta[2] + y * eta[0]) + np.exp(eta[3] + y * eta[1])) - log_factorial(y),
        name="poissons",
        **options,
    )


def log_factorial(y):
    return float(np.log(np.arange(1.0, np.real(y) + 1.0)).sum())


def draw(theta, n, rng):
    return rng.poisson(np.exp(theta)[rng.integers(2, size=n)]).astype(float)


COUNTS, RATES = draw(np.array([0.0, 1.5]), 30, np.random.default_rng(0)), np.array([0.1, 1.2])


@pytest.fixture
def fewer_draws(monkeypatch):
    monkeypatch.setattr(e0_normalised, "_DRAWS", 12_000)


@pytest.mark.parametrize("way", [{"support": "counts"}, {"sample_y": draw}])
def test_what_belongs_together_holds(way, fewer_draws):
    record = mass(poissons(**way), COUNTS, RATES)
    assert record.verdict == "holds"
    assert "violated" in {each.verdict for each in record.sabotages}


@pytest.mark.parametrize("fault", [1e-10, 0.1])
def test_a_mass_that_is_off_is_violated(fault):
    record = mass(poissons(fault, support="counts"), COUNTS, RATES)
    assert record.verdict == "violated"
    assert record.observed == pytest.approx(np.exp(-fault), abs=1e-12)


def test_draws_that_are_not_the_models_are_violated(fewer_draws):
    record = mass(poissons(sample_y=lambda theta, n, rng: draw(theta + 0.3, n, rng)), COUNTS, RATES)
    assert record.verdict == "violated"
    assert record.where["of"] == "statistic of draws"


def test_without_either_it_is_unchecked_and_says_so():
    record = mass(poissons(), COUNTS, RATES)
    assert record.verdict == "not applicable"
    assert record.reason.startswith("unchecked")


def gaussian(d, scale=1.0):
    """Independent Gaussians of unit deviation, with a density too large by a factor or not."""
    return emmd.LatentModel(
        d,
        lambda theta, x: 1.0 * theta,
        lambda eta: 0.5 * (eta**2).sum(),
        lambda eta, y: (
            eta @ np.reshape(y, d) - 0.5 * (y**2).sum() - 0.5 * d * np.log(2.0 * np.pi) + np.log(scale)
        ),
        support="real",
    )


@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_one_and_two_numbers_are_integrated(shape):
    y, d = np.random.default_rng(1).standard_normal((25, *shape)), max(sum(shape), 1)
    assert mass(gaussian(d), y, 0.3 * np.ones(d)).verdict == "holds"
    assert mass(gaussian(d, 1.0 + 1e-7), y, 0.3 * np.ones(d)).verdict == "violated"


def test_three_numbers_are_unchecked():
    record = mass(gaussian(3), np.zeros((10, 3)), np.zeros(3))
    assert record.verdict == "not applicable"
    assert "unchecked" in record.reason


def test_positive_numbers_are_integrated():
    def times(fault):
        return emmd.LatentModel(
            1,
            lambda theta, x: -np.exp(theta),
            lambda eta: -np.log(-eta[0]),
            lambda eta, y: (1.0 + fault) * eta[0] * y,
            support="positive",
        )

    y = np.random.default_rng(2).exponential(1.0, 30)
    assert mass(times(0.0), y, np.zeros(1)).verdict == "holds"
    assert mass(times(1e-7), y, np.zeros(1)).verdict == "violated"


def test_covariates_choose_the_row():
    model = emmd.LatentModel(
        1,
        lambda theta, x: x * theta,
        lambda eta: np.log(1.0 + np.exp(eta[0])),
        lambda eta, y: y * eta[0],
        support=[0.0, 1.0],
    )
    X = np.linspace(-1.0, 1.0, 9)[:, None]
    assert mass(model, (X[:, 0] > 0.0).astype(float), np.array([0.7]), X).verdict == "holds"


def test_a_support_of_another_name_is_refused():
    with pytest.raises(ValueError, match="support must be one of counts, positive, real"):
        gaussian(1).__class__(1, *[lambda *a: 0.0] * 3, support="reals")


def log_sum(parts):
    largest = max(parts, key=np.real)
    return largest + np.log(sum(np.exp(part - largest) for part in parts))


def narrow(width, scale=1.0):
    """Half a unit Gaussian and half one of a small width, without a sampler."""

    def log_numerator(eta, y):
        parts = [
            -0.5 * ((y - at) / size) ** 2 - np.log(2.0 * size * np.sqrt(2.0 * np.pi))
            for at, size in ((eta[0], 1.0), (0.3, width))
        ]
        return log_sum(parts) + np.log(scale)

    return emmd.LatentModel(
        1, lambda theta, x: 1.0 * theta, lambda eta: 0.0 * eta[0], log_numerator, support="real"
    )


@pytest.mark.parametrize("level", [3.0, 11.0, 20.0, 26.0])
def test_counts_of_any_size_are_added_up(level):
    """Every count where they are few; at e^20 in strides; at e^26 a peak is as narrow as a stride."""
    model, X = emmd.MixtureOfExperts(1, 2, family="poisson"), np.ones((60, 1))
    theta = model.pack(coef=[[level], [level - 2.0]], gate=[[0.2]])
    lab = Lab(emmd.Problem(model, X, model.sample_y(theta, X, 0)), theta)
    found = total_mass(lab, theta, 0)
    assert abs(found.value - 1.0) <= found.error
    # at e^20 a log density has lost half its digits
    assert (found.error < 1e-3) == (level < 25.0)


def test_a_peak_between_two_nodes_does_not_accuse_the_model():
    """Both rules see the broad half alone, and agree; only the density at a y itself tells of the rest."""
    model = emmd.MixtureOfExperts(1, 2, family="gamma")
    theta = model.pack(coef=[[0.3], [1.1]], dispersion=[0.0, 16.0], gate=[[0.2]])
    X = np.ones((60, 1))
    lab = Lab(emmd.Problem(model, X, model.sample_y(theta, X, 0)), theta)
    found = total_mass(lab, theta, 0)
    assert found.value == pytest.approx(0.55, abs=1e-3)
    assert found.error == np.inf
    # the rule resolves a shape of e^7, and then a mass that is off is seen
    theta = model.pack(coef=[[0.3], [1.1]], dispersion=[0.0, 7.0], gate=[[0.2]])
    assert total_mass(lab, theta, 0).error < 1e-4
    seen = total_mass(lab, theta, 0, apart=0.2)
    assert abs(seen.value - 1.0) > seen.error


def test_peaks_about_as_narrow_as_a_step_do_not_accuse_the_model():
    """Wherever they lie between nodes: at some places both rules err, and agree nearly."""
    model, X = emmd.MixtureOfExperts(1, 2, family="gamma"), np.ones((60, 1))
    wrong = {"with": 0, "without": 0}
    for place in np.linspace(1.0, 1.0184, 12):
        theta = model.pack(coef=[[0.3], [0.3 + place]], dispersion=[10.6, 10.2], gate=[[0.2]])
        problem = emmd.Problem(model, X, model.sample_y(theta, X, 0))
        found = total_mass(Lab(problem, theta), theta, 0)
        wrong["with"] += abs(found.value - 1.0) > found.error
        wrong["without"] += abs(found.value - 1.0) > 0.05
    assert wrong["with"] == 0
    assert wrong["without"] > 0


@pytest.mark.parametrize("j", [0, 1])
def test_a_gaussian_peak_bends_alike_wherever_it_lies(j):
    """Its deviation is a step along one axis, and a hundred along the other."""
    axes = np.linspace(0.0, 3.0, 31), np.linspace(0.0, 9.0, 31)
    steps = np.array([axis[1] for axis in axes])
    deviation = np.where(np.arange(2) == j, 1.0, 100.0) * steps
    y = np.array([[1.03, 4.0], [1.0, 4.2], [1.07, 3.9]])

    def log_density(at, sharper=1.0):
        return -0.5 * sharper * (((at - 1.0) / deviation) ** 2).sum(axis=1)

    assert _ripple(log_density, y, j, axes[j]) == pytest.approx(2.0 * np.exp(-2.0 * np.pi**2), rel=1e-9)
    assert _ripple(lambda at: log_density(at, 2.1), y, j, axes[j]) == np.inf


def test_without_a_sampler_the_data_tell_of_a_peak():
    y = np.random.default_rng(0).standard_normal(20)
    y[::5] = 0.3
    theta = np.array([0.1])
    assert total_mass(Lab(emmd.Problem(narrow(1e-7), None, y), theta), theta, 0).error == np.inf
    wrong = total_mass(Lab(emmd.Problem(narrow(0.1, scale=1.1), None, y), theta), theta, 0)
    assert wrong.value == pytest.approx(1.1)
    assert wrong.error < 1e-6
