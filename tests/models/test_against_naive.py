"""Every quantity of a problem against the plain oracle, and against complex steps of the symbolic loss."""

import numpy as np
import pytest
from scipy.special import expit

from emmd.theory.symbolic import oracle
from tests.generators.cases import NAMES, assert_blocks_close, both, model, random_case

RTOL = 1e-10
"""Both sides err by rounding alone, amplified by at most the size of a logit (up to 1e2 here): 1e-13. An
M-step adds a residual below 1e-13 over a relative curvature above 1e-2."""

# n around the sizes of blocks (256 rows) and chunks (4096 rows)
SIZES = list(zip([1, 255, 256, 257, 4096, 4097, 9000], [1, 2, 3, 4, 5, 6, 7]))
SIGMAS = {"symmoline": [1.0, 0.3, 7.0], "symmologe": [1.0]}
ONE_POINT = [
    "loss",
    "gradient",
    "hessian",
    "complete_hessian",
    "missing_hessian",
    "em_step",
    "mirror_map",
    "mirror_gradient",
]
TWO_POINTS = ["divergence", "posterior_divergence", "distance"]
MODELS = [(name, sigma) for name in NAMES for sigma in SIGMAS[name]]


@pytest.fixture(params=SIZES, ids=str)
def size(request):
    return request.param


@pytest.fixture(params=MODELS, ids=str)
def case(request, size):
    name, sigma = request.param
    return random_case(name, *size, sigma)


@pytest.mark.parametrize("quantity", ONE_POINT)
def test_at_one_point(case, quantity):
    actual, expected = (getattr(side, quantity)(case.theta) for side in (case.problem, case.naive))
    assert_blocks_close(actual, expected, RTOL)


@pytest.mark.parametrize("quantity", TWO_POINTS)
def test_at_two_points(case, quantity):
    actual, expected = (
        getattr(side, quantity)(case.theta, case.other) for side in (case.problem, case.naive)
    )
    assert actual == pytest.approx(expected, rel=RTOL, abs=0)


def test_responsibilities(case):
    actual = case.problem.responsibilities(case.theta)
    np.testing.assert_allclose(actual, case.naive.responsibilities(case.theta), rtol=RTOL, atol=0)


def test_e_step_carries_the_marginal_loss(case):
    e_step = case.problem.model.e_step(case.problem.data, case.theta)
    assert e_step.loss == pytest.approx(case.naive.loss(case.theta), rel=RTOL, abs=0)


def test_expected_statistics_give_the_gradient_of_the_surrogate(case):
    p = case.naive.responsibilities(case.other)
    statistics = case.problem.model.expected_statistics(case.problem.data, p)
    actual = case.problem.mirror_gradient(case.theta) - statistics
    assert_blocks_close(actual, case.naive.surrogate(case.theta, p)[1], RTOL)


def test_mirror_inverse_undoes_the_mirror_gradient(case):
    inverse = case.problem.mirror_inverse(case.naive.mirror_gradient(case.theta), case.other)
    assert inverse.solved
    assert_blocks_close(inverse.theta, case.theta, RTOL)


@pytest.mark.parametrize("name", NAMES)
def test_without_weights(name):
    case = random_case(name, 300, 2, weighted=False)
    for quantity in ONE_POINT:
        actual, expected = (getattr(side, quantity)(case.theta) for side in (case.problem, case.naive))
        assert_blocks_close(actual, expected, RTOL)


@pytest.mark.parametrize("name", NAMES)
def test_an_integer_weight_is_a_repeated_row(name):
    rng = np.random.default_rng(5)
    X, counts = rng.standard_normal((80, 2)), rng.integers(1, 5, 80)
    theta = rng.standard_normal(4)
    y = model(name, 2).sample_y(theta, X, 6)
    weighted, _ = both(name, X, y, counts)
    repeated, _ = both(name, np.repeat(X, counts, axis=0), np.repeat(y, counts))
    for quantity in ONE_POINT:
        assert_blocks_close(getattr(weighted, quantity)(theta), getattr(repeated, quantity)(theta), RTOL)


# --- high signal-to-noise ratio ---------------------------------------------------------------------
# Features, parameters and targets are short binary fractions, so predictors and posterior logits are exact
# on both sides; otherwise their rounding, 1e-16 of 1e6, would be an error of 1e-10 in the probabilities.


def _short(values, bits):
    return np.round(values * 2.0**bits) / 2.0**bits


def _sharp(name, n, sigma, expert, gate):
    """Return a case with x'beta / sigma about `expert`, x'w about `gate`, and signs of y that fit no gate."""
    rng = np.random.default_rng([n, len(name)])
    X = _short(rng.standard_normal((n, 3)), 6)
    beta, w = np.round(expert * rng.standard_normal(3)), np.round(gate * rng.standard_normal(3))
    y = rng.choice([-1.0, 1.0], n)
    if name == "symmoline":
        y = _short(y * (X @ beta) + rng.standard_normal(n), 10)
    return *both(name, X, sigma * y, rng.integers(1, 9, n), sigma), np.concatenate([sigma * beta, w])


SHARP = [("symmoline", 0.25, 1e3, 1e4), ("symmoline", 4.0, 1e3, 1e4), ("symmologe", 1.0, 1e3, 1e4)]


@pytest.fixture(params=SHARP, ids=str)
def sharp(request):
    return _sharp(request.param[0], 1201, *request.param[1:])


@pytest.mark.parametrize("quantity", [q for q in ONE_POINT if q != "em_step"])
def test_high_snr_at_one_point(sharp, quantity):
    problem, naive, theta = sharp
    assert np.abs(naive.predictors(theta)[1]).max() > 1e4
    assert_blocks_close(getattr(problem, quantity)(theta), getattr(naive, quantity)(theta), RTOL)


@pytest.mark.parametrize("quantity", TWO_POINTS)
def test_high_snr_at_two_points(sharp, quantity):
    problem, naive, theta = sharp
    other = 0.5 * theta[::-1]
    assert getattr(problem, quantity)(theta, other) == pytest.approx(
        getattr(naive, quantity)(theta, other), rel=RTOL, abs=0
    )


def test_high_snr_responsibilities(sharp):
    problem, naive, theta = sharp
    p = problem.responsibilities(theta)
    assert np.mean((p == 0) | (p == 1)) > 0.3
    # below 2^-1022 numbers have fewer digits
    np.testing.assert_allclose(p, naive.responsibilities(theta), rtol=RTOL, atol=1e-320)
    assert problem.model.e_step(problem.data, theta).loss == pytest.approx(naive.loss(theta), rel=RTOL, abs=0)


@pytest.mark.parametrize(("name", "expert", "gate"), [("symmoline", 1e3, 1e4), ("symmologe", 3e3, 3e3)])
def test_high_snr_em_step(name, expert, gate):
    # hard labels that no gate and no expert fits: the M-step has a moderate solution far from its start
    problem, naive, theta = _sharp(name, 1201, 1.0, expert, gate)
    p = problem.responsibilities(theta)
    assert np.mean((p == 0) | (p == 1)) > 0.3
    step = problem.m_step(p, theta)
    assert step.solved
    assert_blocks_close(step.theta, naive.em_step(theta), RTOL)


def test_residuals_are_relative_to_no_more_than_the_scores_size():
    # error budgets multiply a residual by `score_size`: less than what it was divided by would be too little
    problem, _, theta = _sharp("symmoline", 1201, 1.0, 1e3, 1e4)
    model, data = problem.model, problem.data
    targets = model.expert_targets(data.y, problem.responsibilities(theta))
    divided_by = np.abs(data.design.moment(data.weights * targets) / data.design.scale).max()
    assert 10.0 < divided_by <= model.score_size(data)


# --- the marginal likelihood again, from symbolic expressions ------------------------------------------


@pytest.fixture(params=MODELS, ids=str)
def small(request):
    # inside the range of the symbolic oracle: |a|, |y| <= 10, |b| <= 30
    return random_case(request.param[0], 500, 3, request.param[1], seed=3)


def _chain(case, expert, gate):
    naive = case.naive
    return np.concatenate([naive.X.T @ (naive.c * expert) / naive.sigma, naive.X.T @ (naive.c * gate)])


def test_gradient_by_complex_step(small):
    a, b = small.naive.predictors(small.theta)
    rows = oracle(small.problem.model.name).complex_step_gradient(a, b, small.naive.y)
    assert_blocks_close(small.problem.gradient(small.theta), _chain(small, *rows.T), RTOL)


def test_hessian_by_complex_step(small):
    a, b = small.naive.predictors(small.theta)
    exact = oracle(small.problem.model.name)
    h, y = 1e-20, small.naive.y
    by_a, by_b = exact.gradient(a + 1j * h, b, y).imag / h, exact.gradient(a, b + 1j * h, y).imag / h
    X, sigma = small.naive.X, small.naive.sigma
    # columns: derivative of the gradient along each feature of the expert, then of the gate
    columns = [_chain(small, *(by_a.T * X[:, j] / sigma)) for j in range(3)]
    columns += [_chain(small, *(by_b.T * X[:, j])) for j in range(3)]
    assert_blocks_close(small.problem.hessian(small.theta), np.stack(columns, axis=1), RTOL)


def test_the_oracle_is_not_trivially_flat(small):
    """The comparisons above mean something: posteriors are neither certain nor uninformed."""
    p = expit(small.naive.logit(small.theta))
    assert p.std() > 0.1
    assert np.mean((p > 0.1) & (p < 0.9)) > 0.2
