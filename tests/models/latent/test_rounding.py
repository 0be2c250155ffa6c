"""Bounds of rounding errors of any model, against its functions in extended precision: neither too small nor
far too large, and an M-step is judged by the size of what cancels in it."""

import numpy as np
import pytest

import emmd
from emmd.theory.numeric.bounds.rounding import gradient_rounding, loss_rounding

EXTENDED = np.longdouble
TOO_WIDE = 1e6


def gaussians(theta, x):
    """Natural parameters of two Gaussians of one deviation; theta = (logit, means, log deviation)."""
    precision = np.exp(-2.0 * theta[3])
    weights = np.array([1.0 * theta[0], 0.0 * theta[0]])
    level = weights - np.log(np.exp(theta[0]) + 1.0) - 0.5 * precision * theta[1:3] ** 2 - theta[3]
    return np.concatenate([precision * theta[1:3], -0.5 * precision * np.ones(1), level])


def log_sum(terms):
    largest = terms[np.argmax(terms.real)]
    return largest + np.log(np.exp(terms - largest).sum())


def gaussian_mass(eta):
    return log_sum(eta[3:] - eta[:2] ** 2 / (4.0 * eta[2]) - 0.5 * np.log(-2.0 * eta[2]))


def gaussian_part(eta, y):
    return log_sum(eta[3:] + eta[:2] * y + eta[2] * y**2)


def poissons(theta, x):
    """Natural parameters of two Poisson distributions, theta = (logit, log rates)."""
    weights = np.array([1.0 * theta[0], 0.0 * theta[0]])
    return np.concatenate([theta[1:3], weights - np.log(np.exp(theta[0]) + 1.0) - np.exp(theta[1:3])])


def poisson_mass(eta):
    return log_sum(eta[2:] + np.exp(eta[:2]))


def poisson_part(eta, y):
    return log_sum(eta[2:] + eta[:2] * y) - y * (np.log(y) - 1.0)


RNG = np.random.default_rng(5)
DEVIATES = np.concatenate([RNG.standard_normal(30), 4.0 + RNG.standard_normal(20)])
CASES = {
    "gaussians": ((gaussians, gaussian_mass, gaussian_part), DEVIATES, [0.2, 0.3, 3.8, 0.1]),
    "gaussians at 100": (
        (gaussians, gaussian_mass, gaussian_part),
        100.0 + DEVIATES,
        [0.2, 100.0, 103.8, 0.1],
    ),
    "gaussians of 1e6": (
        (gaussians, gaussian_mass, gaussian_part),
        1e6 * DEVIATES,
        [0.2, 0.3e6, 3.8e6, 0.1 + np.log(1e6)],
    ),
    "poissons of 1e6": (
        (poissons, poisson_mass, poisson_part),
        np.concatenate([RNG.poisson(1e6, 30), RNG.poisson(1.01e6, 20)]).astype(float),
        [0.1, np.log(1e6), np.log(1.012e6)],
    ),
}


def problem_of(name):
    functions, y, theta = CASES[name]
    model = emmd.LatentModel(len(theta), *functions, random_point=lambda rng: np.array(theta), name=name)
    return emmd.Problem(model, None, y), np.array(theta)


def exact_loss(name, theta):
    (natural, mass, part), y, _ = CASES[name]
    eta = natural(theta, None)
    return np.mean([mass(eta) - part(eta, row) for row in y.astype(EXTENDED)])


def exact_gradient(name, theta):
    step = EXTENDED(1e-200)
    shifts = 1j * step * np.eye(len(theta), dtype=EXTENDED)
    return np.array([exact_loss(name, theta.astype(EXTENDED) + shift).imag / step for shift in shifts])


def points(problem, theta):
    rng = np.random.default_rng(1)
    scale = problem.model.parameter_scale(problem.data)
    return [theta + 0.3 * rng.standard_normal(len(theta)) / scale for _ in range(8)]


@pytest.mark.parametrize("name", CASES)
def test_a_loss_errs_by_less_than_its_bound_and_not_by_far(name):
    problem, theta = problem_of(name)
    errors = [
        abs(float(exact_loss(name, at.astype(EXTENDED)) - problem.loss(at))) for at in points(problem, theta)
    ]
    bounds = [loss_rounding(problem, at) for at in points(problem, theta)]
    assert all(error <= bound for error, bound in zip(errors, bounds))
    assert max(bounds) <= TOO_WIDE * max(errors)


@pytest.mark.parametrize("name", CASES)
def test_a_gradient_errs_by_less_than_its_bound_and_not_by_far(name):
    problem, theta = problem_of(name)
    errors = np.array(
        [
            np.abs(np.asarray(exact_gradient(name, at) - problem.gradient(at), float))
            for at in points(problem, theta)
        ]
    )
    bounds = np.array([gradient_rounding(problem, at) for at in points(problem, theta)])
    assert (errors <= bounds).all()
    assert (bounds.max(axis=0) <= TOO_WIDE * errors.max(axis=0)).all()


@pytest.mark.parametrize("name", CASES)
def test_an_m_step_is_relative_to_the_terms_that_cancel(name):
    problem, theta = problem_of(name)
    reached = problem.em_step(theta)
    moved = np.abs(reached - theta) * problem.model.parameter_scale(problem.data)
    assert 1e-4 < moved.max() < 10.0
    left = problem.model.surrogate_gradient(problem.data, problem.responsibilities(theta), reached)
    assert (np.abs(left) <= 1e-13 * problem.model.gradient_scale(problem.data, reached)).all()
