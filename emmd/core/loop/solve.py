"""The one loop: algorithms own a step, `minimize` owns the iteration, the stopping rule and the status."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg.lapack import dpotrf, dpotrs

from emmd.core.checks import (
    NotFiniteError,
    describe,
    flag,
    function_or_none,
    instance,
    positive_integer,
    positive_number,
)
from emmd.core.discover import discover
from emmd.core.loop.algorithm import Algorithm, Step, inner_failure
from emmd.core.loop.result import Recorder, Result
from emmd.core.numerics.rounding import exceeds, loss_rounding
from emmd.core.problem import Problem, required_problem
from emmd.core.status import Status

_RISES_ALLOWED = 10
_RUNAWAY = 1e-2
_quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""A point far off may overflow: the loop judges it by its status, not by a warning."""


def algorithms():
    """Return the known algorithm classes by name: emmd's and those of installed packages."""
    return _found_algorithms().plugins


def _found_algorithms():
    return discover("emmd.algorithms", Algorithm, "emmd.algorithms", classes=True)


def make_algorithm(method: str | Algorithm, argument: str = "method", **options: Any) -> Algorithm:
    """Return an algorithm object.

    Parameters
    ----------
    method : str or Algorithm
        A name from `algorithms`, or a composed object, returned as it is.
    argument : str
        What error messages call it.
    **options
        Fields of the algorithm, e.g. ``step_size``, ``inner_steps``. The default
        ``step_size=1.0`` is dropped for algorithms that have none.

    Raises
    ------
    ValueError
        For an unknown name, an option the algorithm does not have, or options beside an object.
    """
    if _is_default(options.get("step_size")) and not _has_step_size(method):
        options.pop("step_size")
    if isinstance(method, Algorithm):
        for name, value in options.items():
            raise ValueError(
                f"{name} must not be given beside an Algorithm object as {argument} (it holds its options), "
                f"got {describe(value)}"
            )
        return method
    instance("argument", argument, str, "text")
    instance(argument, method, str, "a name or an Algorithm")
    kind = _found_algorithms().named(argument, method)
    known = {field.name for field in fields(kind)}
    for name, value in options.items():
        if name not in known:
            takes = ", ".join(sorted(known)) or "no options"
            raise ValueError(
                f"{name} is not an option of method {method!r} (it takes {takes}), got {describe(value)}"
            )
    return kind(**options)


def _is_default(step_size):
    return isinstance(step_size, float) and step_size == 1.0


def _has_step_size(method):
    kind = algorithms().get(method) if isinstance(method, str) else None
    return kind is not None and any(field.name == "step_size" for field in fields(kind))


def minimize(
    problem: Problem,
    theta0: ArrayLike,
    method: str | Algorithm = "em",
    step_size: float | str = 1.0,
    tol: float = 1e-10,
    max_iter: int = 10_000,
    record: bool = False,
    callback: Callable | None = None,
    **options: Any,
) -> Result:
    """Minimise the marginal loss of a problem by EM or one of its rivals.

    Parameters
    ----------
    problem : Problem
    theta0 : array_like of shape (p,)
        Start.
    method : str or Algorithm
        ``em``, ``mirror_descent``, ``gradient_em`` (option ``inner_steps``),
        ``gradient_descent``, ``squarem``, ``anderson``, ``over_relaxation``, ``generalized_em``,
        or any algorithm object.
    step_size : float or "backtracking"
        For the methods that have one.
    tol : float
        The run has converged when the EM displacement H_A^{-1} grad L, measured
        as root mean square change of the linear predictors relative to 1 plus
        their size, is at most `tol`, and an EM step would gain at most ``tol**2``, or what rounding
        hides. The rule is the same for all methods.
    max_iter : int
    record : bool
        Keep the iterates in ``trace.theta``.
    callback : callable, optional
        Called as ``callback(iteration, theta, loss)`` before each step.
    **options
        Further fields of the algorithm.

    Returns
    -------
    Result
        A `scipy.optimize.OptimizeResult`:
        ``x, fun, jac, nit, nfev`` (map evaluations), ``success, status, message,
        trace, algorithm, problem``. Numbers are finite whatever the status.

    Raises
    ------
    ValueError, TypeError
        For bad arguments.
    """
    theta = required_problem(problem)._check(theta0, "theta0")
    algorithm = make_algorithm(method, step_size=step_size, **options)
    tol = positive_number("tol", tol)
    max_iter = positive_integer("max_iter", max_iter)
    callback = function_or_none("callback", callback)
    loop = _Loop(problem, algorithm, tol, Recorder(flag("record", record)), callback)
    status = loop.run(theta, max_iter)
    return loop.result(status)


@dataclass
class _Loop:
    problem: Problem
    algorithm: Algorithm
    tol: float
    recorder: Recorder
    callback: Callable | None
    theta: Any = None
    left: Any = None
    evaluations: int = 0
    rises: int = 0
    last_loss: float = np.inf
    confirm_below: float = np.inf
    slopes: tuple = (None, None)

    def run(self, theta, max_iter):
        """Iterate; return the status the run ends with."""
        return self._run(theta, max_iter, np.geterr())

    @_quiet
    def _run(self, theta, max_iter, users_errors):
        self.theta, self.began = theta, time.perf_counter()
        if self.problem.model.dependent_columns(self.problem.data):
            return self._finish(Status.SINGULAR_DESIGN)
        memory = None
        for iteration in range(max_iter):
            step = self._step(memory)
            size = self._size(step.displacement) if step.failure is None else self._measured_size()
            if not (math.isfinite(step.loss) and math.isfinite(size)):
                return self._retreat()
            self._record(step.loss, size)
            if self.callback is not None:
                with np.errstate(**users_errors):
                    self.callback(iteration, self.theta, step.loss)
            status = self._judge(step, size)
            if status is not None:
                return status
            # what wraps a map does not know the memory of a step that it passed on as failed
            self.left = self.theta
            self.theta, memory = step.theta, step.memory if step.failure is None else None
            self.evaluations += step.evaluations
        return self._finish(Status.ITERATION_LIMIT)

    def _step(self, memory):
        step = self.algorithm.step(self.problem, self.theta, memory)
        return instance(f"what method {self.algorithm.name!r} returns from step", step, Step, "an emmd.Step")

    def _size(self, displacement):
        return self.problem.model.relative_size(self.problem.data, displacement, self.theta)

    def _record(self, loss, size):
        seconds = time.perf_counter() - self.began
        self.recorder.add(self.theta, loss, size, self.evaluations, seconds)

    def _judge(self, step, size):
        if step.failure is not None:
            return None if self._on_the_way(step) else self._degeneracy() or step.failure
        # a sum of squares is finite where its terms are, unless they overflow
        if not (math.isfinite(step.theta.dot(step.theta)) or np.isfinite(step.theta).all()):
            return Status.LOSS_INCREASED
        if not self.problem.model.in_domain(step.theta):
            return Status.LOSS_INCREASED
        if self._loss_rose(step.loss):
            return Status.LOSS_INCREASED
        if size <= self.tol and size < self.confirm_below:
            return self._confirm(size, step.displacement)
        return None

    def _on_the_way(self, step):
        """Return whether a diverging step still lowers the loss, which nears an infimum at infinity.

        Only where theory says that every step lowers the loss: elsewhere a failure tells that it was none.
        """
        if step.failure is not Status.DIVERGING or not self.algorithm.monotone:
            return False
        if not (np.isfinite(step.theta).all() and self.problem.model.in_domain(step.theta)):
            return False
        fall = step.loss - self.problem.model.loss(self.problem.data, step.theta)
        return bool(fall > self.tol * (1.0 + abs(step.loss)))

    def _loss_rose(self, loss):
        rose = exceeds(self.problem, self.theta, loss, self.last_loss) and self._stayed()
        self.rises = self.rises + 1 if rose else 0
        self.last_loss = loss
        return rose and (self.algorithm.monotone or self.rises >= _RISES_ALLOWED)

    def _stayed(self):
        """Return whether the last step stayed in a region where the loss is smooth: elsewhere it may jump."""
        return self.problem.model.same_region(self.problem.data, self.left, self.theta)

    def _confirm(self, size, displacement):
        """Measure the true EM displacement: a small gradient alone may mean a flat, runaway likelihood."""
        true_size = em_displacement(self.problem, self.theta, self._gradient())
        if true_size <= self.tol:
            if not self._still_falls(displacement):
                return self._degeneracy() or Status.CONVERGED
            self.confirm_below = 0.5 * size
            return None
        if not true_size <= max(_RUNAWAY, 10.0 * self.tol):
            return Status.LOSS_INCREASED if self.rises else self._degeneracy() or Status.DIVERGING
        self.confirm_below = 0.5 * size
        return None

    def _still_falls(self, displacement):
        """Return whether an EM step would lower the loss by what matters: more than tol^2, and than rounding.

        Where predictors are known to a millionth, as those of large counts are, a change by tol of their
        size is not small.
        """
        fall = 0.5 * abs(float(self._gradient() @ displacement))
        return fall > self.tol * self.tol and fall > 2.0 * loss_rounding(self.problem, self.theta)

    def _degeneracy(self):
        """Return the degenerate fit that an exact EM step from theta runs into, or None.

        A method without an exact M-step slides along a flat or unbounded likelihood without seeing it.
        """
        failure = inner_failure(self.problem.model.em_step(self.problem.data, self.theta)[1])
        return None if failure is Status.INNER_FAILED else failure

    def _finish(self, status):
        """Record the last iterate, which no step has started from."""
        loss, gradient = self.problem.model.loss_and_gradient(self.problem.data, self.theta)
        self.slopes = self.theta, gradient
        size = self._measured_size() if status is not Status.SINGULAR_DESIGN else 0.0
        if not (np.isfinite(loss) and np.isfinite(size)):
            return self._retreat()
        self._record(loss, size)
        if status is not Status.ITERATION_LIMIT:
            return status
        return self._degeneracy() or (Status.CONVERGED if self._arrived(size) else status)

    def _arrived(self, size):
        if size > self.tol:
            return False
        model, data = self.problem.model, self.problem.data
        return not self._still_falls(model.precondition(data, self._gradient(), self.theta))

    def _measured_size(self):
        """Return the EM displacement at theta; where I_com is singular, its lower bound."""
        gradient = self._gradient()
        size = em_displacement(self.problem, self.theta, gradient)
        if np.isfinite(size):
            return size
        return self._size(self.problem.model.precondition(self.problem.data, gradient, self.theta))

    def _gradient(self):
        """Return the gradient at theta, evaluated once for each iterate."""
        if self.slopes[0] is not self.theta:
            self.slopes = self.theta, self.problem.model.gradient(self.problem.data, self.theta)
        return self.slopes[1]

    def _retreat(self):
        """Go back to the last iterate with a finite loss; the step that left it was too long."""
        if not self.recorder.rows:
            options = "".join(f" and {field.name}" for field in fields(self.algorithm))
            why = self.problem.model.explain(self.problem.data, self.theta)
            raise NotFiniteError(
                f"theta0{options} must have a finite loss and gradient, got values that overflow them"
                + (f": {why}" if why else "")
            )
        self.theta = self.recorder.last_theta
        return Status.LOSS_INCREASED

    def result(self, status):
        trace = self.recorder.trace()
        return Result(
            x=self.theta.copy(),
            fun=float(trace.loss[-1]),
            jac=self._gradient(),
            nit=len(trace.loss) - 1,
            nfev=self.evaluations,
            success=status.success,
            status=int(status),
            message=self.algorithm.message(status),
            trace=trace,
            algorithm=self.algorithm,
            problem=self.problem,
        )


@_quiet
def em_displacement(problem, theta, gradient):
    """Return the relative size of H_A^{-1} grad L at theta; infinite when H_A is singular.

    Parameters
    ----------
    problem : Problem
    theta, gradient : ndarray of shape (p,)
    """
    complete = problem.model.em_information(problem.data, theta)
    # away from an optimum the curvature of a dispersion may be negative
    scale = np.sqrt(np.maximum(complete.diagonal(), 0.0))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        return np.inf
    root, failed = dpotrf(complete / np.outer(scale, scale), lower=1)
    if failed:
        return np.inf
    displacement = dpotrs(root, gradient / scale, lower=1)[0] / scale
    return problem.model.relative_size(problem.data, displacement, theta)
