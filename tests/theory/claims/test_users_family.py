"""A family from outside the package, in one file: T, a with two derivatives, the base measure, a sampler."""

import numpy as np
import pytest
from scipy.special import expit, gammaln

import emmd
from emmd import theory
from emmd.core.protocols.family import Family, whole_numbers


class Binomial(Family):
    """y successes in 5 trials, logit link: T = y, a = 5 log(1 + e^nu)."""

    name = "binomial"
    trials = 5

    def check_target(self, y):
        return whole_numbers(y, "numbers of successes")

    def statistics(self, y):
        return y[:, None]

    def log_base(self, y):
        return gammaln(self.trials + 1) - gammaln(y + 1) - gammaln(self.trials - y + 1)

    def log_partition(self, nu):
        return self.trials * np.log1p(np.exp(nu[:, 0]))

    def mean(self, nu):
        return self.trials * expit(nu)

    def variance(self, nu):
        return (self.trials * expit(nu) * expit(-nu))[:, :, None]

    def sample(self, nu, rng):
        return rng.binomial(self.trials, expit(nu[:, 0])).astype(float)


class NegativeBinomial(Family):
    """Counts with mean e^{x'beta} and known r = 3: a family whose link is not the canonical one."""

    name = "negative_binomial"
    r = 3.0

    def check_target(self, y):
        return whole_numbers(y, "counts")

    def statistics(self, y):
        return y[:, None]

    def log_base(self, y):
        return gammaln(y + self.r) - gammaln(self.r) - gammaln(y + 1)

    def log_partition(self, nu):
        return -self.r * np.log(1.0 - np.exp(nu[:, 0]))

    def mean(self, nu):
        return self.r * np.exp(nu) / -np.expm1(nu)

    def variance(self, nu):
        mean = self.mean(nu)
        return (mean + mean**2 / self.r)[:, :, None]

    def natural(self, xi):
        return xi - np.log(self.r + np.exp(xi))

    def natural_jacobian(self, xi):
        return (self.r / (self.r + np.exp(xi)))[:, :, None]

    def natural_curvature(self, xi):
        return (-self.r * np.exp(xi) / (self.r + np.exp(xi)) ** 2)[:, :, None, None]

    def sample(self, nu, rng):
        return rng.negative_binomial(self.r, -np.expm1(nu[:, 0])).astype(float)

    def prediction(self, xi):
        return np.exp(xi[:, 0])


def _case(family, coef, n):
    model = emmd.MixtureOfExperts(2, 2, family=family)
    truth = model.pack(coef, [[1.5, 0.3]])
    X = np.column_stack([np.random.default_rng(0).standard_normal(n), np.ones(n)])
    return emmd.Problem(model, X, model.sample_y(truth, X, 1)), truth


@pytest.fixture(scope="module")
def linked():
    return _case(NegativeBinomial(), [[1.0, 1.0], [-1.0, 0.5]], 600)


@pytest.fixture(scope="module", params=["canonical", "another link"])
def case(request):
    if request.param == "another link":
        return request.getfixturevalue("linked")
    return _case(Binomial(), [[2.0, 0.5], [-2.0, 0.0]], 800)


@pytest.mark.parametrize("claim", ["E1", "E2", "E3", "E6", "E7", "C1", "C5", "L1"])
def test_claims_hold(case, claim):
    for record in theory.verify(*case, [claim]):
        assert record.verdict == "holds", record
        assert {sabotage.verdict for sabotage in record.sabotages} == {"violated"}


def test_predicted_rate_is_observed(case):
    problem, truth = case
    theta = theory.reference_optimum(problem, truth).theta
    predicted = theory.predicted_rate(problem, theta)
    assert theory.contraction(problem, theta).value == pytest.approx(predicted, rel=1e-6)


def test_ridge_and_prior_need_nothing_more(case):
    problem, truth = case
    model = emmd.MixtureOfExperts(2, 2, family=problem.model.family, expert_ridge=0.1)
    model = emmd.ConjugatePrior(model, 0.2, 0.5 * truth)
    run = emmd.minimize(emmd.Problem(model, problem.X, problem.y), truth)
    assert run.success, run.message
    for record in theory.verify(run.problem, truth, ["E1", "E3", "C1"]):
        assert record.verdict == "holds", record


def test_the_regressor_takes_it():
    rng = np.random.default_rng(2)
    x = rng.standard_normal(400)
    y = rng.binomial(5, expit(np.where(rng.random(400) < 0.5, 2.0 * x, -2.0 * x)))
    fit = emmd.MixtureOfExpertsRegressor(family=Binomial(), gate="constant", n_init=3, random_state=0)
    fit.fit(x[:, None], y)
    assert fit.converged_
    assert sorted(np.sign(fit.coef_[:, 0])) == [-1.0, 1.0]


def test_the_regressor_predicts_with_another_link(linked):
    problem, _ = linked
    fit = emmd.MixtureOfExpertsRegressor(family=NegativeBinomial(), n_init=3, random_state=0)
    fit.fit(problem.X[:, :1], problem.y)
    assert fit.converged_
    assert fit.loglik_ == pytest.approx(fit.log_density(problem.X[:, :1], problem.y).sum(), rel=1e-12)
    means = np.exp(problem.X[:, :1] @ fit.coef_.T + fit.intercept_)
    gate = fit.gate_proba(problem.X[:, :1])
    np.testing.assert_allclose(fit.predict(problem.X[:, :1]), (gate * means).sum(axis=1), rtol=1e-12)
