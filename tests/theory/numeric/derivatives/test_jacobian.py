"""A Jacobian's error holds what inner solvers leave, though it is the same at all displacements."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.algorithms import projected_mirror_descent
from emmd.algorithms.em import EM
from emmd.core.protocols.steps import MStep

_SHORT = 1e-6


@dataclass(frozen=True)
class _StopsShort(EM):
    """EM whose M-step goes all but a millionth of its way, and says what it leaves, or does not."""

    says: bool = True
    name = "stops short"

    def image(self, problem, theta):
        step = self.step(problem, theta, None)
        gap = _SHORT * (theta - step.theta)
        left = np.abs(problem.complete_hessian(theta) @ gap) / problem.model.gradient_scale(
            problem.data, theta
        )
        return replace(step, theta=step.theta + gap, residual=float(left.max()) if self.says else 0.0)


@pytest.fixture(scope="module")
def at_optimum():
    model = emmd.SymMoLinE(2)
    X, y, _ = model.sample([1.0, 0.5, 0.6, -0.4], 400, 0)
    problem = emmd.Problem(model, X, y)
    return problem, theory.reference_optimum(problem, [1.0, 0.5, 0.6, -0.4]).theta


def test_a_solver_that_always_stops_short_is_within_the_error_if_it_says_so(at_optimum):
    rate = theory.predicted_rate(*at_optimum)
    honest, silent = (theory.contraction(*at_optimum, _StopsShort(says=says)) for says in (True, False))
    assert honest.value == silent.value
    assert silent.error < abs(silent.value - rate) <= honest.error


@pytest.mark.parametrize(("method", "solver"), [("em", "em_step"), ("mirror_descent", "mirror_inverse")])
def test_a_step_says_what_its_inner_solver_left(at_optimum, monkeypatch, method, solver):
    problem, theta = at_optimum
    answer = MStep(theta, 0.25, True, 1.0)
    monkeypatch.setattr(
        type(problem.model), solver, lambda *rest: (0.0, answer) if solver == "em_step" else answer
    )
    assert emmd.make_algorithm(method).step(problem, theta, None).residual == 0.25


def test_a_relaxed_step_leaves_as_much_more(at_optimum, monkeypatch):
    problem, theta = at_optimum
    answer = MStep(theta, 0.25, True, 1.0)
    monkeypatch.setattr(type(problem.model), "em_step", lambda *rest: (problem.loss(theta), answer))
    step = emmd.make_algorithm("over_relaxation", relaxation=1.5).image(problem, theta)
    assert step.residual == 0.375


def test_the_generic_projection_says_what_it_left_in_units_of_a_gradient(at_optimum, monkeypatch):
    problem, theta = at_optimum
    monkeypatch.setattr(projected_mirror_descent, "_project", lambda *rest: (theta, 1e-10))
    step = emmd.make_algorithm("projected_mirror_descent").step(problem, theta, None)
    left = 1e-10 * problem.model.parameter_scale(problem.data)
    units = problem.model.gradient_scale(problem.data, theta)
    assert step.residual == pytest.approx((left / units).max())
