"""C2: the divergences of the steps sum to at most the gap; no convexity is needed."""

from itertools import pairwise

import numpy as np

from emmd.theory.assumptions import linear_model_set, proper_step, regular_design
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.reversal import reversed_gain_search


def measure(lab, reverse=False, twice=False, again=0.0):
    """Compare sums along EM's path, and single steps from points found by a search."""
    yield from _path(lab, reverse, twice, again)
    if not lab.linear_model_set:
        return
    for step in lab.once("reversed gain search", lambda: reversed_gain_search(lab)):
        yield Comparison(
            predicted=step.gain,
            observed=step.backward if reverse else step.forward,
            budget=step.budget,
            scale=max(step.gain, step.backward),
            where={"search": "single step", "theta_0": step.before, "theta_1": step.after},
            part="single steps",
        )


def _path(lab, reverse, twice, again):
    path = lab.path(lab.theta0)
    gains = [_term(lab, u, v, reverse, twice) for u, v in pairwise(path.theta)]
    total = np.cumsum(gains) + again * gains[0]
    rounding = np.array([lab.loss_error(theta) for theta in path.theta])
    errors = np.cumsum([_term_error(lab, u, v, reverse, twice) for u, v in pairwise(path.theta)])
    for t, summed in enumerate(total, start=1):
        yield Comparison(
            predicted=path.loss[0] - path.loss[t],
            observed=float(summed),
            budget=float(rounding[0] + rounding[t] + errors[t - 1]),
            scale=path.loss[0] - path.loss[t],
            where={"T": t, "theta_0": path.theta[0], "theta_T": path.theta[t]},
            part="sum",
        )


def _term(lab, before, after, reverse, twice):
    if reverse:
        return lab.problem.divergence(after, before)
    posterior = 2.0 * lab.problem.posterior_divergence(after, before) if twice else 0.0
    return lab.step_gain(before, after) + posterior


def _term_error(lab, before, after, reverse, twice):
    if reverse:
        return lab.divergence_error(after, before)
    posterior = 2.0 * lab.posterior_error(after, before) if twice else 0.0
    return lab.step_gain_error(before, after) + posterior


CLAIM = Claim(
    id="C2-stationarity",
    statement="The sum of D_A(theta_t, theta_{t+1}) (K experts: of the gains of Q) is at most L_0 - L_T.",
    latex=r"\sum_{t<T} D_A(\theta_t, \theta_{t+1}) \le L_0 - L_T",
    source="Kunstner, Kumar, Schmidt 2021",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("reversed KL orientation", {"reverse": True}, assumptions=(linear_model_set,)),
        Sabotage("posterior KL added twice", {"twice": True}),
        Sabotage("the first step counted twice", {"again": 1.0}, truth=0.0),
    ),
    assumptions=(regular_design, proper_step),
)
