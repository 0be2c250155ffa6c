"""Online EM as stochastic mirror descent: one identity on any linear model, and three laws of its noise."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.theory.numeric.online.mixing import linear_variances, mixing_population, with_missing
from tests.models.latent.censored import ROWS


def rate_model():
    """Censored times with theta the rate itself: no covariates, and eta is linear."""
    return emmd.LatentModel(
        1,
        lambda theta, x: -theta,
        lambda eta: -np.log(-eta[0]),
        lambda eta, y: eta[0] * y[0] - (1.0 - y[1]) * np.log(-eta[0]),
        in_domain=lambda theta: theta[0] > 0.0,
        random_point=lambda rng: rng.exponential(1.0, 1),
    )


def covariates(model):
    X, y, _ = model.sample([1.0, 0.5, 0.3, -0.2], 200, 0)
    return emmd.Problem(model, X, y)


def test_a_step_is_a_mirror_step():
    [record] = theory.verify(emmd.Problem(rate_model(), None, ROWS), [0.4], ["O1"])
    assert (record.verdict, record.independent) == ("holds", False)
    assert [each.verdict for each in record.sabotages] == ["violated"] * 2


@pytest.mark.parametrize("model", [emmd.SymMoLinE(2), emmd.SymMoLogE(2)], ids=["linear", "logistic"])
def test_with_covariates_each_batch_has_a_mirror_map_of_its_own(model):
    [record] = theory.verify(covariates(model), [0.5, 0.5, 0.1, 0.1], ["O1"])
    assert record.verdict == "holds"
    assert [each.verdict for each in record.sabotages] == ["violated"] * 3
    apart = record.sabotages[2]
    assert abs(apart.predicted - apart.observed) > 1e-3


@pytest.mark.parametrize("model", ["symmoline", "symmologe"])
def test_the_laws_hold_and_their_sabotages_are_refuted(model):
    for record in theory.verify_population(model, ["O2", "O3", "O4"]):
        assert record.verdict == "holds", (record.claim, record.reason, record.where)
        assert {each.verdict for each in record.sabotages} == {"violated"}


def test_the_missing_information_of_the_populations_is_that_of_their_problems():
    population = mixing_population("binomial", 0.5, (0.5, 0.3, 0.2))
    log_densities = np.log(population.densities)
    model = emmd.LatentModel(
        2,
        lambda theta, x: np.concatenate([theta, 0.0 * theta[:1]]),
        lambda eta: np.log(np.exp(eta).sum()),
        lambda eta, y: np.log(np.exp(eta + y).sum()),
    )
    problem = emmd.Problem(model, None, log_densities, sample_weight=population.law)
    optimum = np.log(population.weights[:2] / population.weights[2])
    assert np.abs(problem.gradient(optimum)).max() < 1e-12
    values = theory.missing_information(problem, optimum).eigenvalues
    np.testing.assert_allclose(values, np.sort(1.0 - population.kept), atol=1e-9)


def test_runs_with_few_and_many_rows_have_one_law():
    population = with_missing("binomial", 0.5)
    assert 1.0 - population.kept[0] == pytest.approx(0.5, abs=1e-9)
    rng, spread = np.random.default_rng(0), []
    # 12 rows are drawn one by one, 13 as counts
    for batch in (12, 13):
        *_, logits = population.runs([0.2] * 5, batch, 4000, rng)
        linear = linear_variances(population.kept[0], np.full(5, 0.2), batch)[0][-1]
        spread.append(float((population.modes(logits) ** 2).mean()) / linear)
    np.testing.assert_allclose(spread, 1.0, atol=0.15)
