"""Predicted rates against the numerically differentiated map, and contraction against both."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.data.snr import snr_parameters

METHODS = [
    ("em", {}),
    ("mirror_descent", {"step_size": 0.6}),
    ("mirror_descent", {"step_size": 1.4}),
    ("gradient_descent", {"step_size": 0.3}),
    ("gradient_em", {"step_size": 0.3, "inner_steps": 1}),
    ("gradient_em", {"step_size": 0.3, "inner_steps": 7}),
    ("generalized_em", {}),
    ("over_relaxation", {"relaxation": 1.4}),
]


@pytest.fixture(scope="module", params=[emmd.SymMoLinE, emmd.SymMoLogE])
def solved(request):
    model = request.param(3)
    truth = snr_parameters(3, 3.0, 2.0, 0.4)
    X, y, _ = model.sample(truth, 800, 5)
    problem = emmd.Problem(model, X, y, np.random.default_rng(5).uniform(0.5, 1.5, 800))
    reference = theory.reference_optimum(problem, truth)
    assert reference.strict
    return problem, reference.theta


def differentiated_radius(problem, theta, method, options):
    """The map by `minimize` itself, one step at a time; differences of order 4 along the axes."""

    def advance(point):
        return emmd.minimize(problem, point, method, max_iter=1, tol=1e-300, **options).x

    columns = []
    for axis in np.eye(len(theta)):
        h = 1e-3
        near = advance(theta + h * axis) - advance(theta - h * axis)
        far = advance(theta + 2 * h * axis) - advance(theta - 2 * h * axis)
        columns.append((8 * near - far) / (12 * h))
    return np.abs(np.linalg.eigvals(np.array(columns).T)).max()


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_prediction_is_the_radius_of_the_differentiated_map(solved, method, options):
    problem, theta = solved
    predicted = theory.predicted_rate(problem, theta, method, **options)
    assert predicted == pytest.approx(differentiated_radius(problem, theta, method, options), abs=1e-6)


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_contraction_agrees_and_its_error_covers(solved, method, options):
    problem, theta = solved
    predicted = theory.predicted_rate(problem, theta, method, **options)
    seen = theory.contraction(problem, theta, method, **options)
    assert seen.value == pytest.approx(predicted, rel=1e-4)
    assert abs(seen.value - predicted) <= seen.error <= 1e-5


def test_contraction_by_arnoldi_when_there_are_many_parameters():
    model = emmd.SymMoLinE(70)
    truth = snr_parameters(70, 4.0, 1.0, 0.0)
    X, y, _ = model.sample(truth, 3000, 1)
    problem = emmd.Problem(model, X, y)
    theta = theory.reference_optimum(problem, truth).theta
    seen = theory.contraction(problem, theta)
    predicted = theory.predicted_rate(problem, theta)
    assert seen.value == pytest.approx(predicted, rel=1e-4)
    assert abs(seen.value - predicted) <= seen.error


def test_the_best_step_balances_the_two_ends():
    values = np.array([0.1, 0.4, 0.8])
    step = theory.best_step(values)
    assert abs(1 - step * 0.9) == pytest.approx(abs(1 - step * 0.2), rel=1e-12)


def test_one_newton_step_has_the_local_law_of_em_but_not_its_steps(solved):
    problem, theta = solved
    predicted = theory.predicted_rate(problem, theta, "generalized_em")
    assert predicted == pytest.approx(theory.predicted_rate(problem, theta, "em"), rel=1e-12)
    away = theta + 0.3
    newton = emmd.minimize(problem, away, "generalized_em", max_iter=1).x
    assert np.abs(newton - problem.em_step(away)).max() > 1e-4


def test_eigenvalues_in_the_unit_interval_and_matrix(solved):
    problem, theta = solved
    information = theory.missing_information(problem, theta)
    assert (np.diff(information.eigenvalues) >= 0).all()
    assert information.eigenvalues[0] >= 0
    assert information.eigenvalues[-1] <= 1
    direct = np.linalg.solve(information.complete, information.missing)
    np.testing.assert_allclose(information.matrix, direct, rtol=0, atol=1e-12)


def test_reference_is_exact_and_says_when_it_is_not_strict(solved):
    problem, theta = solved
    assert np.abs(problem.gradient(theta)).max() < 1e-13
    saddle = theory.reference_optimum(problem, np.zeros(6))
    assert not saddle.strict
    assert "strict" in saddle.reason


def test_methods_without_a_linear_law_say_so(solved):
    problem, theta = solved
    with pytest.raises(ValueError, match="no constant linear law"):
        theory.predicted_rate(problem, theta, "anderson")
    with pytest.raises(ValueError, match="no constant linear law"):
        theory.predicted_rate(problem, theta, "over_relaxation")
    with pytest.raises(ValueError, match="mirror_descent"):
        theory.predicted_rate(problem, theta, "mirror_decent")
