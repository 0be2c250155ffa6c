"""A start for claims on data whose parameters nobody knows: the best of several random ones."""

import numpy as np

from emmd.core.loop.solve import minimize


def best_start(problem, seed=0, tries=8, iterations=200, starts=None):
    """Return the random start from which EM gets lowest, preferring runs with a finite optimum.

    Parameters
    ----------
    problem : emmd.Problem
    seed : int
    tries : int
    iterations : int
        EM steps per start.
    starts : list of ndarray of shape (p,), optional
        Those to choose from; random ones by default.

    Returns
    -------
    ndarray of shape (p,)
    """
    if starts is None:
        starts = _random(problem, seed, tries)
    runs = [minimize(problem, start, tol=1e-8, max_iter=iterations) for start in starts]
    runaway = [run.status not in (0, 1) for run in runs]
    best = min(range(len(starts)), key=lambda k: (runaway[k], runs[k].fun))
    return starts[best]


def _random(problem, seed, tries):
    model, rng = problem.model, np.random.default_rng([seed, *b"starts"])
    scale = model.parameter_scale(problem.data)
    starts = rng.standard_normal((tries, problem.n_params)) / (scale * np.sqrt(problem.n_params / 2))
    return [start if model.in_domain(start) else model.random_point(problem.data, rng) for start in starts]
