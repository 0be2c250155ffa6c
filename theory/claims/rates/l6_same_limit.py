"""L6: accelerated EM has EM's limit, and a run's evaluations are the map evaluations it made."""

from dataclasses import dataclass, field

import numpy as np

from emmd.core.loop.algorithm import Algorithm
from emmd.core.loop.solve import make_algorithm, minimize
from emmd.core.status import Status
from emmd.theory.assumptions import regular_design, strict_minimum
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.rates.linear_start import coordinates, from_coordinates, map_error, slow_start

_METHODS = ("squarem", "anderson")
_TOL = 1e-10
_LONG = 20_000


@dataclass(frozen=True)
class _Counting(Algorithm):
    """EM that counts its evaluations."""

    base: Algorithm = field(default_factory=lambda: make_algorithm("em"))
    calls: list = field(default_factory=list)

    @property
    def monotone(self):
        return self.base.monotone

    def step(self, problem, theta, memory):
        self.calls.append(None)
        return self.base.step(problem, theta, memory)


def measure(lab, count="evaluations", start_is_limit=False):
    """Compare limits with the reference optimum, and the evaluations of runs with a count of the calls."""
    length = 0.1 * (1.0 - lab.information.rate)
    for method in _METHODS:
        run, counted, start = lab.once(("limit", method), lambda m=method: _run(lab, m, length))
        where = {"method": method, "evaluations": run.nfev, "iterations": run.nit}
        yield _limit(lab, run, start, start if start_is_limit else run.x, length, where)
        reported = run.nfev if count == "evaluations" else run.nit
        of = f"evaluations of {method}"
        yield Comparison(float(reported), float(counted), 0.0, float(counted), {**where, "of": of}, part=of)


def _run(lab, method, length):
    em = _Counting()
    seen = []
    run = minimize(
        lab.problem,
        from_coordinates(lab, length * slow_start(lab, 0.0)),
        make_algorithm(method, base=em),
        tol=_TOL,
        max_iter=2000,
        callback=lambda *_: seen.append(len(em.calls)),
        record=True,
    )
    # the step that ends a run starts at the limit: its evaluations did not serve to reach it
    return run, seen[run.nit - 1], run.trace.theta[0]


def _limit(lab, run, start, point, length, where):
    """Compare the distance to the optimum with 0; it is bounded by the displacement over 1 - lambda_max."""
    distance, budget = _distance(lab, point, length), _left(lab, run.x, length)
    elsewhere = _distance(lab, run.x, length) > budget and _leaves(lab, start, length)
    # a run that has not ended says nothing of its limit; where EM ends elsewhere, that is no limit of EM's
    budget = np.inf if run.status == Status.ITERATION_LIMIT or elsewhere else budget
    observed = np.nan if run.status not in (Status.CONVERGED, Status.ITERATION_LIMIT) else distance
    of = f"limit of {where['method']}"
    return Comparison(0.0, float(observed), float(budget), 1.0, {**where, "of": of}, part=of)


def _distance(lab, point, length):
    return np.linalg.norm(coordinates(lab, point)) / length


def _left(lab, point, length):
    """Bound the distance of a stationary point, which has been reached but for a displacement."""
    left = np.linalg.norm(lab.information.vectors.T @ lab.problem.gradient(point)) + map_error(lab)
    return 1.1 * left / (1.0 - lab.information.rate) / length


def _leaves(lab, start, length):
    """Return whether EM ends elsewhere from this start: another optimum may be as near as that."""
    run = lab.once("EM's limit", lambda: minimize(lab.problem, start, tol=_TOL, max_iter=_LONG))
    return run.status == Status.CONVERGED and _distance(lab, run.x, length) > _left(lab, run.x, length)


CLAIM = Claim(
    id="L6-same-limit",
    statement="SQUAREM and Anderson's method end where EM does, and count every map evaluation.",
    latex=r"\lim \theta_t = \theta^*",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("a cycle counted as one evaluation", {"count": "iterations"}),
        Sabotage("the start taken for the limit", {"start_is_limit": True}),
    ),
    assumptions=(regular_design, strict_minimum),
    resolution=0.01,
)
