"""Experts that are networks: the M-step is not exact, rates are predicted all the same."""

import pytest

import emmd
from emmd import theory


@pytest.fixture(scope="module")
def fitted(solve):
    problem, theta0 = solve("deep-experts").problem, solve("deep-experts").theta0
    return problem, theta0, emmd.minimize(problem, theta0, method="generalized_em", tol=1e-12)


def test_a_newton_step_for_the_m_step_reaches_where_em_ends(fitted):
    problem, theta0, result = fitted
    exact = emmd.minimize(problem, theta0, tol=1e-10)
    assert result.success
    assert exact.success
    assert abs(result.fun - exact.fun) < 1e-12


@pytest.mark.parametrize(
    ("method", "options"),
    [("generalized_em", {}), ("gradient_em", {"step_size": 0.05, "inner_steps": 5})],
)
def test_inexact_steps_contract_as_predicted(fitted, method, options):
    problem, _, result = fitted
    predicted = theory.predicted_rate(problem, result.x, method, **options)
    assert abs(predicted - theory.contraction(problem, result.x, method, **options).value) < 1e-6


def test_the_rate_without_matrices_is_the_pencils(fitted):
    problem, _, result = fitted
    found = theory.matrix_free_rate(problem, result.x)
    assert abs(found.value - theory.predicted_rate(problem, result.x)) < 1e-8
    assert found.error < 1e-6


def test_a_saddle_of_q_has_no_inner_solution(fitted):
    problem, theta0, _ = fitted
    with pytest.raises(ArithmeticError, match="positive definite"):
        theory.matrix_free_rate(problem, 0.0 * theta0)
