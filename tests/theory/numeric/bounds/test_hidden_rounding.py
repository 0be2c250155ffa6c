"""Bounds of derivatives in natural parameters, for families that hide something, against sixty digits."""

import mpmath as mp
import numpy as np
import pytest

import emmd
from emmd.core.numerics.rounding import EPS
from emmd.theory.lab import Lab

mp.mp.dps = 60
SEEDS = range(25)
ROWS = 8


def student(y, u, rho, df):
    """Return log p(y), E[T | y] and E[T] of the scale mixture, without E[log g]."""
    h, square = df / 2, (y - u) ** 2 * mp.exp(-rho) / 2
    density = mp.loggamma(h + mp.mpf(1) / 2) - mp.loggamma(h) - mp.log(2 * mp.pi * h) / 2 - rho / 2
    density -= (h + mp.mpf(1) / 2) * mp.log1p(square / h)
    g = (h + mp.mpf(1) / 2) / (h + square)
    return density, [g * y, g * y**2, g], [u, mp.exp(rho) + u**2, mp.mpf(1)]


def student_free(y, u, rho, delta):
    h = mp.exp(delta) / 2
    density, known, mean = student(y, u, rho, 2 * h)
    log_g = mp.digamma(h + mp.mpf(1) / 2) - mp.log(h + (y - u) ** 2 * mp.exp(-rho) / 2)
    return density, [*known, log_g], [*mean, mp.digamma(h) - mp.log(h)]


def negative_binomial(y, u, rho):
    m, alpha = mp.exp(u), mp.exp(rho)
    density = mp.loggamma(y + alpha) - mp.loggamma(alpha) - mp.loggamma(y + 1)
    density += alpha * mp.log(alpha / (m + alpha)) + y * mp.log(m / (m + alpha))
    known = [y, (y + alpha) / (m + alpha), mp.digamma(y + alpha) - mp.log(m + alpha)]
    return density, known, [m, mp.mpf(1), mp.digamma(alpha) - mp.log(alpha)]


def zero_inflated(y, u, rho):
    m, share = mp.exp(u), 1 / (1 + mp.exp(-rho))
    if y > 0:
        return mp.log(share) + y * u - m - mp.loggamma(y + 1), [y, mp.mpf(1)], [share * m, share]
    counted = share * mp.exp(-m)
    return mp.log(1 - share + counted), [y, counted / (1 - share + counted)], [share * m, share]


KINDS = {
    "student_t": (lambda y, u, rho: student(y, u, rho, mp.mpf(4)), [(-14, 3)], False),
    "student_t_df": (student_free, [(-12, 3), (-3, 9)], False),
    "negative_binomial": (negative_binomial, [(-6, 12)], True),
    "zero_inflated_poisson": (zero_inflated, [(-6, 6)], True),
}


def draw(kind, seed):
    """Return a problem of two experts and a parameter: dispersions over decades, data near one expert."""
    _, ranges, counts = KINDS[kind]
    rng = np.random.default_rng([seed, *kind.encode()])
    model = emmd.MixtureOfExperts(2, 2, family=kind)
    dispersion = np.array([[rng.uniform(*each) for each in ranges] for _ in range(2)])
    coef = rng.standard_normal((2, 1, 2)) * (1.0 if counts else 3.0)
    coef[:, 0, 1] += rng.uniform(0.0, 8.0) if counts else 0.0
    named = dispersion.reshape(model.shapes["dispersion"])
    theta = model.pack(coef=coef, dispersion=named, gate=rng.standard_normal((1, 2)))
    X = np.column_stack([rng.standard_normal(ROWS), np.ones(ROWS)])
    return emmd.Problem(model, X, model.sample_y(theta, X, seed)), theta


def truth(kind, problem, theta, row):
    """Return grad l in the natural parameters of a row, to sixty digits."""
    density = KINDS[kind][0]
    named, x, y = problem.model.unpack(theta), [mp.mpf(v) for v in problem.X[row]], mp.mpf(problem.y[row])

    def along(coefficients):
        return sum(mp.mpf(c) * v for c, v in zip(coefficients, x))

    logits = [along(named["gate"][0]), mp.mpf(0)]
    dispersions = [[mp.mpf(v) for v in np.atleast_1d(each)] for each in named["dispersion"]]
    experts = [density(y, along(c[0]), *rest) for c, rest in zip(named["coef"], dispersions)]
    p = [mp.exp(logit) / sum(map(mp.exp, logits)) for logit in logits]
    joint = [a * mp.exp(each[0]) for a, each in zip(p, experts)]
    r = [each / sum(joint) for each in joint]
    inner = [
        p[k] * mean - r[k] * known
        for k, (_, posterior, means) in enumerate(experts)
        for known, mean in zip(posterior, means)
    ]
    return inner + [a - b for a, b in zip(p, r)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_exceeds_its_bound_and_some_come_near(kind):
    largest = 0.0
    for seed in SEEDS:
        problem, theta = draw(kind, seed)
        lab = Lab(problem, theta)
        slopes, bounds = lab.natural_gradient(theta)[1], EPS * lab.natural_rounding(theta)[1]
        for row in range(ROWS):
            exact = truth(kind, problem, theta, row)
            assert len(exact) == slopes.shape[1]
            for j, value in enumerate(exact):
                share = float(abs(mp.mpf(slopes[row, j]) - value)) / bounds[row, j]
                assert share <= 1.0, (seed, row, j, share)
                largest = max(largest, share)
    assert largest > 1e-3
