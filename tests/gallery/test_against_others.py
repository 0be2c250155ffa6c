"""Models of the gallery against scikit-learn and hmmlearn: one step of EM, and the likelihood."""

import warnings

import numpy as np
import pytest
from sklearn.decomposition import FactorAnalysis
from sklearn.mixture import GaussianMixture

from emmd.gallery.triangles import from_log_cholesky


def test_gaussian_mixture_is_that_of_scikit_learn(solve):
    problem, theta0 = solve("gaussian-mixture").problem, solve("gaussian-mixture").theta0
    K = d = 2
    means = theta0[1:5].reshape(K, d)
    start = {"weights_init": [0.5, 0.5], "means_init": means, "precisions_init": np.stack([np.eye(d)] * K)}
    other = GaussianMixture(K, max_iter=1, reg_covar=0.0, **start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that one step is not convergence
        other.fit(problem.y)
    logits = np.log(other.weights_[:-1] / other.weights_[-1])
    expected = np.concatenate(
        [logits, other.means_.ravel(), from_log_cholesky(np.linalg.inv(other.covariances_)).ravel()]
    )
    found = problem.em_step(theta0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(problem.loss(expected), -other.score(problem.y), rtol=1e-10)


def test_factor_analysis_is_that_of_scikit_learn(solve):
    problem, theta0 = solve("factor-analysis").problem, solve("factor-analysis").theta0
    d, q = 6, 2
    other = FactorAnalysis(q).fit(problem.y)
    other.components_ = theta0[: d * q].reshape(d, q).T
    other.noise_variance_ = np.exp(theta0[d * q :])
    other.mean_ = np.zeros(d)
    np.testing.assert_allclose(problem.loss(theta0), -other.score(problem.y), rtol=1e-10)


def test_hidden_markov_chain_is_that_of_hmmlearn(solve):
    hmm = pytest.importorskip("hmmlearn.hmm")
    problem, theta0 = solve("hidden-markov").problem, solve("hidden-markov").theta0
    other = hmm.CategoricalHMM(2, n_iter=1, init_params="", n_features=3)
    other.startprob_, other.transmat_, other.emissionprob_ = _probabilities(theta0)
    symbols, lengths = problem.y.reshape(-1, 1), [problem.y.shape[1]] * len(problem.y)
    loss = -other.score(symbols, lengths) / len(problem.y)
    np.testing.assert_allclose(problem.loss(theta0), loss, rtol=1e-10)
    other.fit(symbols, lengths)
    ours = _probabilities(problem.em_step(theta0))
    for mine, theirs in zip(ours, (other.startprob_, other.transmat_, other.emissionprob_)):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def _probabilities(theta):
    """Return first states, transitions and emissions of two states and three symbols."""
    parts = theta[:1].reshape(1, 1), theta[1:3].reshape(2, 1), theta[3:].reshape(2, 2)
    full = [np.column_stack([part, np.zeros(len(part))]) for part in parts]
    first, steps, symbols = (np.exp(part) / np.exp(part).sum(axis=1, keepdims=True) for part in full)
    return first[0], steps, symbols
