"""Every model of the gallery: identities, rates, and likelihoods that other programs give."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

import emmd
from emmd import theory
from emmd.theory.checker import check

IDENTITIES = (
    "E1-fisher-identity",
    "E5-surrogate",
    "R1-exact-identity",
    "C1-exact-decrease",
    "L4-one-inner-step",
)


@pytest.mark.parametrize("claim", IDENTITIES)
def test_identities_hold_to_eleven_digits(solved, claim):
    found = theory.claims()[claim]
    # a gradient step's length falls with the square of the largest curvature, and so do its digits
    near = ("start",) if claim.startswith("L4") else ("start", "near 1", "near 2")
    misses = [
        abs(each.observed - each.predicted) / _size(each)
        for each in found.measure(solved.lab)
        if each.where.get("point", "start") in near
    ]
    assert misses
    assert max(misses) < 1e-11


def _size(comparison):
    """Return what both sides are differences of: 1 where they are the smaller part of a loss."""
    return max(abs(comparison.predicted), abs(comparison.observed), comparison.scale, 1.0)


def test_the_predicted_rate_is_the_spectral_radius_of_the_map(solved):
    optimum = solved.lab.reference
    assert optimum.reason == ""
    predicted = theory.predicted_rate(solved.problem, optimum.theta)
    assert abs(predicted - theory.contraction(solved.problem, optimum.theta).value) < 1e-6


def test_claims_hold_and_all_sabotages_fall(solved):
    records = [
        check(theory.claims()[claim], solved.lab) for claim in (*IDENTITIES, "E0-normalised", "L1-em-rate")
    ]
    wrong = {r.claim: (r.verdict, r.reason) for r in records if r.verdict != "holds"}
    assert wrong == {}
    assert all(any(s.verdict == "violated" for s in r.sabotages) for r in records)


def test_the_loss_is_that_of_an_independent_program(solved):
    log_density = LIKELIHOODS.get(solved.name)
    if log_density is None:
        pytest.skip("compared in another file")
    expected = -np.mean(log_density(solved.theta0, solved.problem.X, solved.problem.y))
    np.testing.assert_allclose(solved.problem.loss(solved.theta0), expected, rtol=1e-10)


def _poisson_mixture(theta, X, y):
    joint = stats.poisson.logpmf(y[:, None], np.exp(theta[1:])) + _log_weights(theta[:1])
    return logsumexp(joint, axis=1)


def _multinomial_mixture(theta, X, y):
    parts = [_softmax(part) for part in theta[1:].reshape(2, 2)]
    joint = [stats.multinomial.logpmf(y, int(y[0].sum()), part) for part in parts]
    return logsumexp(np.transpose(joint) + _log_weights(theta[:1]), axis=1)


def _mixed_regression(theta, X, y):
    joint = stats.norm.logpdf(y[:, None], X @ theta[1:5].reshape(2, 2).T, np.exp(theta[5]))
    return logsumexp(joint + _log_weights(theta[:1]), axis=1)


def _random_intercept(theta, X, y):
    covariance = np.exp(2.0 * theta[2]) * np.eye(y.shape[1]) + np.exp(2.0 * theta[3])
    return stats.multivariate_normal(cov=covariance).logpdf(y - X @ theta[:2])


def _missing_gaussian(theta, X, y):
    d = y[0].shape[1]
    root = np.tril(np.ones((d, d)))
    root[np.tril_indices(d)] = theta[d:]
    root[np.diag_indices(d)] = np.exp(np.diag(root))
    covariance = np.linalg.inv(root @ root.T)
    laws = {}
    rows = [(value[seen], tuple(seen)) for value, seen in zip(*y)]
    for seen in {key for _, key in rows if any(key)}:
        law = stats.multivariate_normal(theta[:d][list(seen)], covariance[np.ix_(seen, seen)])
        laws[seen] = law
    return [laws[key].logpdf(value) if any(key) else 0.0 for value, key in rows]


def _deep_experts(theta, X, y):
    up = np.column_stack([theta[0] * X + theta[1], 0.0 * X])
    means = [
        sum(v * np.tanh(a * X + b) for a, b, v in zip(*part[:-1].reshape(3, 2))) + part[-1]
        for part in theta[2:-1].reshape(2, 7)
    ]
    joint = stats.norm.logpdf(y[:, None], np.transpose(means), np.exp(theta[-1]))
    return logsumexp(joint + up - logsumexp(up, axis=1)[:, None], axis=1)


def _ppca(theta, X, y):
    covariance = np.outer(theta[:-1], theta[:-1]) + np.exp(2.0 * theta[-1]) * np.eye(len(theta) - 1)
    return stats.multivariate_normal(cov=covariance).logpdf(y)


def _censored(theta, X, y):
    law = stats.expon(scale=np.exp(-theta[0]))
    return np.where(y[:, 1] == 1.0, law.logpdf(y[:, 0]), law.logsf(y[:, 0]))


def _softmax(logits):
    return np.exp(_log_weights(logits))


def _log_weights(logits):
    full = np.append(logits, 0.0)
    return full - logsumexp(full)


LIKELIHOODS = {
    "poisson-mixture": _poisson_mixture,
    "multinomial-mixture": _multinomial_mixture,
    "mixed-regression": _mixed_regression,
    "random-intercept": _random_intercept,
    "missing-gaussian": _missing_gaussian,
    "deep-experts": _deep_experts,
    "ppca": _ppca,
    "censored-exponential": _censored,
    "student-t": lambda theta, X, y: stats.t.logpdf(y, 4.0, theta[0], np.exp(theta[1])),
    "probit": lambda theta, X, y: stats.norm.logcdf(y * (X @ theta)),
}


def test_copies_have_the_same_loss(solved):
    theta = solved.theta0 + 0.1 * np.random.default_rng(0).standard_normal(len(solved.theta0))
    copies = solved.problem.model.equivalents(theta)
    losses = [solved.problem.loss(copy) for copy in copies]
    np.testing.assert_array_equal(copies[0], theta)
    np.testing.assert_allclose(losses, losses[0], rtol=1e-13)


def test_ppca_reaches_the_closed_form_of_tipping_and_bishop(solve):
    problem, theta0 = solve("ppca").problem, solve("ppca").theta0
    values, vectors = np.linalg.eigh(problem.y.T @ problem.y / len(problem.y))
    found = emmd.minimize(problem, theta0, tol=1e-12).x
    noise = values[:-1].mean()
    expected = np.append(np.sqrt(values[-1] - noise) * vectors[:, -1], 0.5 * np.log(noise))
    assert problem.distance(found, expected) < 1e-9
