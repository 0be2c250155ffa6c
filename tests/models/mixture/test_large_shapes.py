"""Gamma experts whose targets vary by a few percent or by less than a ten-thousandth: large shapes."""

import mpmath
import numpy as np
import pytest

import emmd
from emmd.fits.glm import digamma_gap
from emmd.models.experts.gamma import stirling_gap
from emmd.models.experts.negative_binomial import NegativeBinomial


def problem_of(rho):
    """Two experts so far apart that each row's is certain: EM's optimum is two separate fits."""
    rng = np.random.default_rng(0)
    model = emmd.MixtureOfExperts(2, 2, "gamma", gate="constant")
    X = np.column_stack([np.ones(60), rng.uniform(-1, 1, 60)])
    named = {"coef": [[0.0, 0.5], [4.0, -0.5]], "gate": [[0.2]]}
    truth = model.pack(**named, dispersion=[rho, rho - 1.0])
    start = model.pack(**named, dispersion=[2.0, 2.0])
    start[:4] += 0.05 * rng.standard_normal(4)
    return emmd.Problem(model, X, model.sample_y(truth, X, 3)), start


def rest_of(y, x, coef):
    """Return log y - x'beta with mpmath's digits."""
    return mpmath.log(float(y)) - mpmath.fdot(x.tolist(), coef.tolist())


def log_shape(y, X, coef):
    """Return the root of ``log alpha - digamma(alpha) = mean half deviance`` with 40 digits."""
    with mpmath.workdps(40):
        rests = [rest_of(*row, coef) for row in zip(y, X)]
        excess = mpmath.fsum(mpmath.exp(t) - 1 - t for t in rests) / len(rests)
        shape = mpmath.findroot(lambda a: mpmath.log(a) - mpmath.digamma(a) - excess, 1 / (2 * excess))
        return float(mpmath.log(shape))


@pytest.mark.parametrize("rho", [6.0, 14.0, 20.0])
def test_em_ends_at_the_fit_of_each_experts_rows(rho):
    problem, start = problem_of(rho)
    run = emmd.minimize(problem, start)
    assert run.status == emmd.Status.CONVERGED, run.message
    assert run.nit < 10
    named = problem.model.unpack(run.x)
    for k, rows in enumerate(problem.responsibilities(run.x).T > 0.5):
        y, X, coef = problem.y[rows], problem.X[rows], named["coef"][k, 0]
        # the score of a log link: relative residuals, balanced
        assert np.abs(X.T @ np.expm1(np.log(y) - X @ coef)).max() <= 1e-13 * len(y)
        # a target's logarithm is known to rounding, and its rest is of the size of 1 / sqrt(shape)
        sure = 1e-13 + 4.0 * np.finfo(float).eps * np.exp(0.5 * rho)
        assert named["dispersion"][k] == pytest.approx(log_shape(y, X, coef), abs=sure)


def test_loss_and_gradient_keep_their_digits():
    problem, start = problem_of(20.0)
    theta = emmd.minimize(problem, start).x
    named = problem.model.unpack(theta)
    owners, logit = problem.responsibilities(theta).argmax(axis=1), named["gate"][0, 0]
    log_gate = -np.log1p(np.exp([-logit, logit]))
    with mpmath.workdps(40):
        total, slopes = mpmath.mpf(0), [mpmath.mpf(0)] * 2
        for y, x, k in zip(problem.y, problem.X, owners):
            rho, rest = mpmath.mpf(float(named["dispersion"][k])), rest_of(y, x, named["coef"][k, 0])
            alpha, deviance = mpmath.exp(rho), mpmath.exp(rest) - 1 - rest
            total -= alpha * (rho - 1 - deviance) - mpmath.loggamma(alpha) - mpmath.log(float(y))
            total -= float(log_gate[k])
            slopes[k] -= alpha * (rho - mpmath.digamma(alpha) - deviance)
        loss, slopes = float(total / 60), [float(slope / 60) for slope in slopes]
    # what rounding of log y does to the deviance, times the shape
    sure = 8.0 * np.finfo(float).eps * np.exp(0.5 * 20.0)
    assert problem.loss(theta) == pytest.approx(loss, abs=sure)
    assert problem.gradient(theta)[4:6] == pytest.approx(slopes, abs=sure)


@pytest.mark.parametrize("alpha", [1e-3, 0.7, 29.0, 30.0, 1e4, 1e11])
def test_gaps_of_large_shapes(alpha):
    with mpmath.workdps(40):
        a = mpmath.mpf(alpha)
        logarithm = float(mpmath.log(a) - mpmath.digamma(a))
        stirling = float(mpmath.loggamma(a) - (a - 0.5) * mpmath.log(a) + a - mpmath.log(2 * mpmath.pi) / 2)
    assert digamma_gap(np.array(alpha)) == pytest.approx(logarithm, rel=1e-13)
    # just below 30 the plain difference of terms near 100 is 0.003
    assert stirling_gap(np.array(alpha)) == pytest.approx(stirling, rel=1e-11)


@pytest.mark.parametrize("rho", [0.0, 9.0, 21.0])
def test_the_hidden_rate_of_a_large_size_keeps_its_digits(rho):
    """An M-step divides by what log g lacks of g - 1, of the size of 1 / alpha."""
    y, xi = np.array([0.0, 17.0, 31.0]), np.column_stack([[0.3, 3.0, 3.2], np.full(3, rho)])
    found = NegativeBinomial().expected_statistics(y, xi)[:, 2]
    with mpmath.workdps(40):
        alpha, means = mpmath.exp(rho), [mpmath.exp(float(u)) for u in xi[:, 0]]
        truth = [float(mpmath.digamma(k + alpha) - mpmath.log(m + alpha)) for k, m in zip(y, means)]
    np.testing.assert_allclose(found, truth, rtol=1e-13 + 1e-15 * rho, atol=0.0)
