"""Population EM of K experts: by quadrature, against samples and against a finer rule."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.models.mixture.separations import mixture_snr_parameters
from emmd.theory.population.mixtures import spectrum
from emmd.theory.population.mixtures.rules import RULES
from emmd.theory.population.mixtures.spectrum import mixture_population

CASES = {
    "gaussian, known": (2, "gaussian", {"variance": 1.0}, 2),
    "gaussian": (2, "gaussian", {}, 2),
    "poisson": (2, "poisson", {}, 2),
    "bernoulli": (3, "bernoulli", {}, 2),
    "categorical": (2, "categorical", {"n_classes": 3}, 2),
}


def _problem(name):
    K, family, options, d = CASES[name]
    model = emmd.MixtureOfExperts(d, K, family, **options)
    return model, mixture_snr_parameters(model, 1.5, 1.0, 0.3)


def _powers(eigenvalues):
    # smooth in the informations, as eigenvalues that meet are not
    return np.array([np.sum(eigenvalues), np.sum(eigenvalues**2)])


@pytest.mark.parametrize("name", CASES)
def test_large_samples_have_nearly_the_population_s_spectrum(name):
    model, theta = _problem(name)
    found, samples = mixture_population(model, theta), []
    for seed in range(6):
        X, y, _ = model.sample(theta, 20_000, seed)
        samples.append(_powers(theory.missing_information(emmd.Problem(model, X, y), theta).eigenvalues))
    spread = np.std(samples, axis=0, ddof=1) / np.sqrt(6.0)
    gaps = np.abs(np.mean(samples, axis=0) - _powers(found.eigenvalues(model.n_features)))
    # Student's t with five degrees of freedom: beyond 10 once in six thousand
    assert (gaps <= 10.0 * spread + 4.0 * model.n_params * found.error).all()
    # a spectrum that is wrong by a tenth is seen
    assert (10.0 * spread < 0.1 * _powers(found.eigenvalues(model.n_features))).all()


@pytest.mark.parametrize("name", RULES)
def test_rules_give_the_moments_of_their_families(name):
    """Mean and covariance of T are derivatives of the log partition, which rules know nothing of."""
    options = {"n_classes": 3} if name == "categorical" else {}
    family = emmd.MixtureOfExperts(1, 2, name, **options).family
    xi = np.random.default_rng(0).standard_normal((6, family.n_predictors))
    rule, gap, weight = RULES[name], np.full(6, 1.0), np.zeros(6)
    n = int(np.ceil(rule.size(family, xi, gap, weight).max()))
    y, mass = rule.nodes(family, xi, n)
    for row in range(6):
        T, nu = family.statistics(y[row]), family.natural(xi[row : row + 1])
        mean = mass[row] @ T
        np.testing.assert_allclose(mean, family.mean(nu)[0], rtol=1e-10)
        spread = (mass[row][:, None] * (T - mean)).T @ (T - mean)
        np.testing.assert_allclose(spread, family.variance(nu)[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "poisson"])
def test_the_stated_error_covers_a_finer_rule(name, monkeypatch):
    model, theta = _problem(name)
    steps = {s: (1.4 * coarse, 1.4 * fine) for s, (coarse, fine) in spectrum._STEPS.items()}
    exact = mixture_population(model, theta)
    monkeypatch.setattr(spectrum, "_STEPS", steps)
    rough = mixture_population(model, theta)
    assert rough.error > 3.0 * exact.error
    assert np.abs(rough.span_eigenvalues - exact.span_eigenvalues).max() <= rough.error + exact.error


def test_each_direction_across_the_span_has_the_same_eigenvalues():
    model = emmd.MixtureOfExperts(4, 2, "bernoulli")
    theta = mixture_snr_parameters(model, 1.5, 1.0, 0.3)
    found = mixture_population(model, theta)
    assert found.dimension == 2
    values = found.eigenvalues(4)
    assert len(values) == model.n_params
    for value in found.orthogonal_eigenvalues:
        assert np.sum(values == value) == 2
    assert found.rate(4) == values[-1]


def test_bad_input_is_one_sentence():
    many = emmd.MixtureOfExperts(12, 13, "bernoulli")
    with pytest.raises(ValueError, match="n_experts must be at most 12 in a population, got 13"):
        mixture_population(many, np.zeros(many.n_params))
    wide = emmd.MixtureOfExperts(6, 4, "bernoulli")
    with pytest.raises(ValueError, match="at most 4 dimensions, got 6: sample only"):
        mixture_population(wide, mixture_snr_parameters(wide, 1.0, 1.0, 0.3))
    hidden = emmd.MixtureOfExperts(2, 2, "student_t")
    with pytest.raises(ValueError, match="family must have a quadrature rule"):
        mixture_population(hidden, np.zeros(hidden.n_params))
    counts = emmd.MixtureOfExperts(1, 2, "poisson")
    with pytest.raises(ValueError, match="snr_expert must leave counts with means up to 1e"):
        mixture_population(counts, mixture_snr_parameters(counts, 6.0, 0.0, 1.0))
