r"""N6: two softmax-gated Gaussian experts fitted to data of one: a measurement of the orders in n.

Nguyen, Nguyen, Ho 2023 give n^(-1/(2 r)) for gates and intercepts and n^(-1/r) for slopes and variances, r =
4 where two experts share one truth. EM is sublinear there and a sample's error varies by its own size, so
that orders are known within their intervals only: as many fits as the main job has time for leave them wide,
and the verdict says so.
"""

import numpy as np

from emmd.core.loop.solve import minimize
from emmd.core.problem import Problem
from emmd.models.mixture.model import MixtureOfExperts
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only

_SIZES = 300, 1200, 4800
_REPEATS = 16, 12, 8
_DEVIATIONS = 3.5
"""A normal variable is within so many standard deviations in all but 5 in 10^4 cases."""
_ITERATIONS = 200
_TOL = 1e-5
_ORDERS = {"intercepts": 0.5, "slopes": 1.0}
"""Of n^(-1/r): for each kind of parameter its factor of the exponent."""


def measure(lab, r=4.0):
    """Compare slopes of mean log errors in log n with -1/(2 r) and -1/r."""
    errors = lab.once("N6", lambda: _errors(lab.rng("N6")))
    for name, factor in _ORDERS.items():
        slope, error = _slope([each[name] for each in errors])
        where = {
            "errors of": name,
            "sizes": _SIZES,
            "repeats": _REPEATS,
            "interval": (slope - error, slope + error),
        }
        yield Comparison(-factor / r, slope, error, 1.0, where, part=name)


def _errors(rng):
    """Return for each size the square errors of intercepts and of slopes, arrays of shape (repeats,)."""
    found = []
    for n, count in zip(_SIZES, _REPEATS):
        rows = np.array([_fitted(n, rng) for _ in range(count)])
        found.append({"intercepts": rows[:, 1], "slopes": rows[:, 0]})
    return found


def _fitted(n, rng):
    """Return the mean square errors of slope and intercept of two experts fitted to y = x + noise."""
    X = np.column_stack([rng.standard_normal(n), np.ones(n)])
    y = X[:, 0] + rng.standard_normal(n)
    model = MixtureOfExperts(2, 2)
    start = model.pack([[1.2, 0.4], [0.8, -0.4]], [[0.3, 0.0]], [0.0, 0.0])
    problem = Problem(model, X, y)
    result = minimize(problem, start, method="squarem", tol=_TOL, max_iter=_ITERATIONS)
    shares = problem.weights @ problem.responsibilities(result.x)
    return shares @ (model.unpack(result.x)["coef"].reshape(2, 2) - [1.0, 0.0]) ** 2


def _slope(squares):
    """Return the slope of the mean log error against log n, and half the width of an interval for its limit.

    Logs, since a few samples err by far more than the others. Sizes are equally spaced, so that the slope is
    that between the ends; what it changes from the first half to the second tells how far off the limit is.
    """
    logs = [np.log(each) / 2.0 for each in squares]
    means, length = [each.mean() for each in logs], np.log(_SIZES[-1] / _SIZES[0])
    noise = np.hypot(*(logs[k].std() / len(logs[k]) ** 0.5 for k in (0, -1)))
    bend = abs(means[2] - 2.0 * means[1] + means[0])
    return float((means[-1] - means[0]) / length), float((_DEVIATIONS * noise + 2.0 * bend) / length)


CLAIM = Claim(
    id="N6-too-many-experts",
    statement="Two softmax-gated Gaussian experts fitted to one: intercepts err like n^(-1/8),"
    " slopes like n^(-1/4).",
    latex=r"\|\Delta b\| \sim n^{-1/(2 r)}, \quad \|\Delta a\| \sim n^{-1/r}, \quad r = 4",
    source="Nguyen, Nguyen, Ho 2023 (arXiv 2305.03288), as a review has it: measured here, not assumed",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(Sabotage("the parametric order n^(-1/2)", {"r": 2.0}, truth=4.0),),
    assumptions=(linear_only,),
    resolution=0.06,
    scope="population",
)
