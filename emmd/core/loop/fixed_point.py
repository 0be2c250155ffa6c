"""Any map R^p -> R^p, accelerated by the algorithms that accelerate EM."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult

from emmd.core.checks import NotFiniteError, describe, flag, positive_integer, positive_number, real_array
from emmd.core.loop.algorithm import Algorithm, Step
from emmd.core.loop.result import Recorder
from emmd.core.loop.solve import algorithms, make_algorithm
from emmd.core.status import Status

_MESSAGES = {
    Status.CONVERGED: "Converged: the map moves x by at most tol, relative to 1 + |x|.",
    Status.ITERATION_LIMIT: "Iteration limit reached before tol. Raise max_iter, or loosen tol.",
    Status.DIVERGING: "The map is not finite where its own iteration led: start closer to a fixed point.",
}


@dataclass(frozen=True)
class PlainMap(Algorithm):
    """One evaluation of a map, as the base of an accelerator.

    What stands for the loss is the root mean square of F(x) - x in units of 1 + |x0|: trials that
    enlarge it are refused.

    Attributes
    ----------
    function : callable
    """

    function: Callable

    name = "map"

    def step(self, problem, theta, memory):
        """Evaluate the map; where it is not finite the step fails."""
        image = mapped(self.function, theta)
        change = image - theta
        size = float(np.sqrt(np.mean((problem.model.parameter_scale(problem.data) * change) ** 2)))
        return Step(image, size, change, failure=None if np.isfinite(size) else Status.DIVERGING)

    def exceeds(self, problem, theta, loss, bound):
        """Return whether a residual is above a bound."""
        return not loss <= bound


def mapped(function: Callable, x: np.ndarray, name: str = "fixed_point_map") -> np.ndarray:
    """Return a map's value at a copy of x, shape (p,); it may be NaN. `name` is the map's in a refusal."""
    returned = function(x.copy())
    try:
        image = np.asarray(returned)
    except ValueError:
        # lists of several lengths are no array
        image = None
    if image is None or image.shape != x.shape or image.dtype.kind not in "fiu":
        got = describe(returned if image is None else image)
        raise ValueError(f"{name} must return an array of real numbers of shape {x.shape}, got {got}")
    return image.astype(float)


@dataclass(frozen=True)
class _MapProblem:
    """What accelerators ask of a problem, of a map that is defined everywhere."""

    scale: np.ndarray
    data: None = None
    model: Any = field(init=False)

    def __post_init__(self):
        model = SimpleNamespace(parameter_scale=lambda data: self.scale, in_domain=lambda x: True)
        object.__setattr__(self, "model", model)


def accelerate(
    fixed_point_map: Callable[[np.ndarray], ArrayLike],
    x0: ArrayLike,
    method: str | Algorithm = "squarem",
    tol: float = 1e-10,
    max_iter: int = 10_000,
    record: bool = False,
    **options: Any,
) -> OptimizeResult:
    """Find a fixed point of a map R^p -> R^p whose own iteration converges, in fewer evaluations.

    Parameters
    ----------
    fixed_point_map : callable
        ``x (p,) -> (p,)``. Where it is not defined it may return NaN: no step is taken there.
    x0 : array_like of shape (p,)
        Start.
    method : str
        ``squarem``, ``anderson``, ``over_relaxation``, or any accelerator of `emmd.minimize` by name.
    tol : float
        Converged where ``max |F(x) - x| / (1 + |x|)`` is at most `tol`.
    max_iter : int
    record : bool
        Keep the iterates in ``trace.theta``.
    **options
        Fields of the accelerator, such as ``window`` or ``relaxation``.

    Returns
    -------
    scipy.optimize.OptimizeResult
        ``x, fun`` (root mean square of F(x) - x in units of 1 + |x0|), ``nit, nfev`` (map evaluations),
        ``success, status, message, trace``.

    Raises
    ------
    ValueError, TypeError
        For bad arguments, and for a map that returns another shape or is not finite at x0.

    Notes
    -----
    The accelerators are those of `emmd.minimize`, one implementation. There trials that would raise the loss
    are refused; a map alone has no loss, so trials that enlarge the residual are refused instead.
    """
    if not callable(fixed_point_map):
        raise TypeError(f"fixed_point_map must be a function, got {describe(fixed_point_map)}")
    x = real_array("x0", x0, 1)
    tol, max_iter = positive_number("tol", tol), positive_integer("max_iter", max_iter)
    recorder = Recorder(flag("record", record))
    calls = _Counted(fixed_point_map)
    algorithm = _accelerator(method, calls, options)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        status = _iterate(algorithm, _MapProblem(1.0 / (1.0 + np.abs(x))), x, tol, max_iter, recorder, calls)
    trace, reached = recorder.trace(), recorder.last_theta
    return OptimizeResult(
        x=np.array(reached),
        fun=float(trace.loss[-1]),
        nit=len(trace.loss) - 1,
        nfev=calls.n,
        success=status.success,
        status=int(status),
        message=_MESSAGES[status],
        trace=trace,
        algorithm=algorithm,
    )


class _Counted:
    def __init__(self, function):
        self.function, self.n = function, 0

    def __call__(self, x):
        self.n += 1
        return self.function(x)


def _accelerator(method, function, options):
    known = sorted(name for name, kind in algorithms().items() if not kind.fixed_point)
    if not isinstance(method, str) or method not in known:
        raise ValueError(f"method must be one of {', '.join(known)}, got {describe(method)}")
    if "base" in options:
        raise ValueError(f"base must be left out, for the map is the base, got {describe(options['base'])}")
    return make_algorithm(method, base=PlainMap(function), **options)


def _iterate(algorithm, problem, x, tol, max_iter, recorder, calls):
    memory, began = None, time.perf_counter()
    for _ in range(max_iter + 1):
        spent = calls.n
        step = algorithm.step(problem, x, memory)
        if step.failure is not None:
            if not recorder.rows:
                raise NotFiniteError(f"fixed_point_map must be finite at x0, got {step.theta}")
            return step.failure
        size = float(np.max(np.abs(step.displacement) / (1.0 + np.abs(x))))
        recorder.add(x, step.loss, size, spent, time.perf_counter() - began)
        if size <= tol:
            return Status.CONVERGED
        x, memory = step.theta, step.memory
    return Status.ITERATION_LIMIT
