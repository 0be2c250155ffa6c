"""The runs from several starts; the fit with the highest likelihood is kept."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult

from emmd.core.checks import NotFiniteError
from emmd.core.loop.result import Trace
from emmd.core.loop.solve import minimize
from emmd.core.loop.trust_region import trust_region
from emmd.core.status import Status
from emmd.inference.order import without_prior

KEEP = ("best", "converged")
"""Which run may be kept: the best of all, or the best of those that converged."""

_PATIENCE = 50
"""Iterations after which Newton's method takes a run on."""

_UNFINISHED = (Status.ITERATION_LIMIT, Status.DIVERGING, Status.INNER_FAILED, Status.LOSS_INCREASED)
_TIE = 1e-9

_AT_LEAST, _TRIES = 2, 4
"""Neighbours for each run but one, and for each run that ended above the best one.

From an optimum that all starts share, one neighbour in ten finds a narrow line through a third of the rows.
"""

_ROUGH, _FEW = 1e-3, 15
SAME_OPTIMUM = 1e-6
"""Losses further apart, relative to 1 plus their size, are those of different optima."""


@dataclass(frozen=True)
class Start:
    """Where a run begins.

    Attributes
    ----------
    kind : str
        One of `draw.KINDS`, or ``warm``.
    theta : ndarray of shape (p,)
    """

    kind: str
    theta: np.ndarray


@dataclass(frozen=True)
class Started:
    """The runs from several starts.

    Attributes
    ----------
    starts : list of Start
    runs : list of scipy.optimize.OptimizeResult
        One for each start, as `emmd.minimize` returns them.
    best : int
        Index of the run to keep, see `best_run`.
    """

    starts: list[Start]
    runs: list[OptimizeResult]
    best: int


def fit_from_starts(
    problem,
    starts,
    neighbour=None,
    least=0.0,
    n_jobs=None,
    callback=None,
    monitor=None,
    keep="best",
    **options,
):
    """Minimise the loss from every start, choose the best run, and go on to better optima near it.

    Parameters
    ----------
    problem : Problem
    starts : list of Start
    neighbour : callable, optional
        ``neighbour(theta, attempt)`` returns a point from which another optimum may be reached. It is asked
        for two for each start but one, and for four for each run that ended above the best one, until a round
        of them has brought nothing.
    least : float
        The share of the rows that an expert must keep in what is found from a neighbour, or as much as the
        best run leaves it: a few rows near a line that no others follow are a high and narrow optimum that
        says nothing, and who looks long enough finds them (McLachlan and Peel 2000, section 3.10).
    n_jobs : int, optional
        Threads, as in joblib. The result does not depend on it.
    callback : callable, optional
        Called as ``callback(start, iteration, loss)`` before each step, from several threads when
        ``n_jobs`` is not 1.
    monitor : object, optional
        Its ``begin(start)`` and ``end(start, run)`` are called when a run begins and ends, from the same
        thread; the latter once more when the search has taken the best run on.
    keep : "best" or "converged"
        See `best_run`.
    **options
        Of `emmd.minimize`.

    Returns
    -------
    Started
    """
    from joblib import Parallel, delayed

    def run(index, start):
        if monitor is not None:
            monitor.begin(index)
        result = _run(problem, start.theta, watch(index), **options)
        if monitor is not None:
            monitor.end(index, result)
        return result

    def watch(index):
        return None if callback is None else lambda t, loss: callback(index, t, loss)

    # kernels release the GIL, and threads share the data
    parallel = Parallel(n_jobs, prefer="threads")
    runs = parallel(delayed(run)(k, start) for k, start in enumerate(starts))
    best = best_run(runs, keep)
    attempts = 0
    while neighbour is not None and (more := _attempts(runs, runs[best])):
        jobs = (delayed(neighbour)(runs[best].x, attempts + k) for k in range(more))
        kept = min(least, _smallest_share(problem, runs[best].x))
        explored = parallel(delayed(_explored)(problem, theta, kept, **options) for theta in parallel(jobs))
        found = [run for run in explored if run is not None]
        attempts += more
        index = best_run([runs[best], *found], keep)
        if index == 0:
            break
        runs[best] = _continued(problem, runs[best], found[index - 1].x, watch(best), **options)
    if attempts and monitor is not None:
        monitor.end(best, runs[best])
    return Started(starts, runs, best)


def _attempts(runs, best):
    """Return how many neighbours of the best run to try: more where more of the runs ended above it."""
    if best.status in (Status.ITERATION_LIMIT, Status.VARIANCE_COLLAPSE):
        return 0
    elsewhere = sum(run.fun > best.fun + SAME_OPTIMUM * (1.0 + abs(best.fun)) for run in runs)
    return max(_AT_LEAST * (len(runs) - 1), _TRIES * elsewhere)


def _explored(problem, theta, least, **options):
    """Return the run from a point far from an optimum: a few EM steps, Newton's method, then the method.

    None where the loss overflows there, or an expert is left with a smaller share of the rows than `least`.
    """
    try:
        first = minimize(problem, theta, tol=_ROUGH, max_iter=_FEW)
        if first.status in _UNFINISHED or first.status == Status.CONVERGED:
            theta = trust_region(problem, first.x)
        run = minimize(problem, theta, **options)
    except NotFiniteError:
        return None
    return run if _smallest_share(problem, run.x) >= least else None


def _smallest_share(problem, theta):
    """Return the share of the rows of the expert that has least."""
    model, data = without_prior(problem)
    taken = model.posterior(data, theta)[1] @ data.gate_weights
    return taken.min() / taken.sum()


def _run(problem, theta, callback, max_iter, **options):
    """Run the method; where it is slow or fails, Newton's method, and the method from where that ends.

    EM nears an optimum at infinity like 1 / t, crosses plateaus slowly, and ends where an M-step is nearly
    separable. A run that Newton's method leads to a collapse goes on without it.
    """
    run = _minimize(problem, theta, callback, 0, max_iter=min(max_iter, _PATIENCE), **options)
    while run.status in _UNFINISHED and run.nit < max_iter:
        descended = trust_region(problem, run.x)
        if problem.model.loss(problem.data, descended) < run.fun - _TIE * (1.0 + abs(run.fun)):
            rest = _continued(
                problem, run, descended, callback, min(max_iter, run.nit + _PATIENCE), **options
            )
            if rest.status != Status.VARIANCE_COLLAPSE:
                run = rest
                continue
        elif run.status != Status.ITERATION_LIMIT:
            return run
        return _continued(problem, run, run.x, callback, max_iter, **options)
    return run


def _minimize(problem, theta, callback, taken, **options):
    # the loop's own callback also gets theta, which would be in the problem's units
    watch = None if callback is None else lambda t, theta, loss: callback(taken + t, loss)
    return minimize(problem, theta, callback=watch, **options)


def _continued(problem, run, theta, callback, max_iter, **options):
    """Return the run from theta with the trace of another one before it."""
    # the last entry of a trace that was cut off has had no step
    taken = run.nit + (run.status != Status.ITERATION_LIMIT)
    rest = _minimize(problem, theta, callback, taken, max_iter=max(max_iter - run.nit, 1), **options)
    a, b = run.trace, rest.trace
    rest.trace = Trace(
        np.append(a.loss[:taken], b.loss),
        np.append(a.displacement[:taken], b.displacement),
        np.append(a.evaluations[:taken], run.nfev + b.evaluations),
        np.append(a.seconds[:taken], a.seconds[-1] + b.seconds),
        None,
    )
    rest.nit, rest.nfev = len(rest.trace.loss) - 1, run.nfev + rest.nfev
    return rest


def best_run(runs, keep="best"):
    """Return the index of the run with the lowest loss.

    A run on its way to an unbounded likelihood, that of an exact fit, is kept where there is no other. Every
    other likelihood counts, whatever the run's status: that of a gate which becomes a step is bounded.

    Parameters
    ----------
    runs : list of scipy.optimize.OptimizeResult
    keep : "best" or "converged"
        Whether only converged runs count, where there are any.

    Notes
    -----
    Runs whose losses agree to nine digits count as equal, and the first of them that converged, or else the
    first, is kept: rounding must not choose among permutations of the same experts.
    """
    among = [run for run in runs if run.status != Status.VARIANCE_COLLAPSE] or runs
    if keep == "converged":
        among = [run for run in among if run.status == Status.CONVERGED] or among
    lowest = min(run.fun for run in among)
    equal = [run for run in among if run.fun <= lowest + _TIE * (1.0 + abs(lowest))]
    best = next((run for run in equal if run.status == Status.CONVERGED), equal[0])
    return next(index for index, run in enumerate(runs) if run is best)
