r"""C5 on K experts: with the experts known and a constant gate L is convex in the mixing weights.

The experts are held where the probe has them; the problem's own EM on what is left, the K - 1 log
odds of a constant gate, multiplies pi_k by E[f_k / sum_j pi_j f_j]. As for known densities
L_T - L* <= KL(pi* || pi_0) / (T + 1) from every start, and nothing of the kind holds with the
divergence turned round or for convexity in the log odds.
"""

import numpy as np

from emmd.core.problem import Problem
from emmd.models.mixture import MixtureOfExperts
from theory.assumptions import free_experts, no_prior, regular_design
from theory.claim import Claim, Kind, Sabotage
from theory.numeric.mixing_weights import ROUNDING, convexity, gaps, starts

_STEPS = 100
_TO_OPTIMUM = 20_000
_TINY = 1e-300


def measure(lab, order="optimum first", midpoint="mean"):
    """Compare convexity on chords, then the gap along EM's paths, with the experts of two probes."""
    for label, theta in lab.probes[:2]:
        problem = lab.once(("C5", label), lambda theta=theta: _weights_alone(lab, theta))
        optimum, error = lab.once(("C5 optimum", label), lambda problem=problem: _optimum(problem))

        def loss(weights, problem=problem):
            return problem.loss(_log_odds(weights))

        def step(weights, problem=problem):
            return _em_step(problem, weights)

        where = {"point": label, "theta": theta}
        yield from convexity(loss, optimum, lab.rng("C5 chords"), midpoint, **where)
        for name, start in starts(len(optimum)):
            yield from gaps(loss, step, optimum, error, start, _STEPS, order, **where, start=name)


def _weights_alone(lab, theta):
    """Return the problem whose experts are fixed at theta's, with a constant gate."""
    model = lab.model
    named = model.unpack(theta)
    fixed = {"coef": named["coef"]}
    if named["dispersion"].size:
        fixed["dispersion"] = named["dispersion"]
    columns = model.columns["expert"]
    alone = MixtureOfExperts(
        model.n_features, model.n_experts, model.family, "constant", columns, fixed=fixed
    )
    return Problem(alone, lab.problem.X, lab.problem.y, lab.problem.weights)


def _log_odds(weights):
    logs = np.log(np.maximum(weights, _TINY))
    return logs[:-1] - logs[-1]


def _em_step(problem, weights):
    """Return the shares of EM's map: the E-step, then the mean responsibilities."""
    return problem.weights @ problem.responsibilities(_log_odds(weights))


def _optimum(problem):
    """The minimiser by EM, and its gap: max_k g_k - 1 bounds L - L* by convexity, g_k EM's factor."""
    weights = np.full(problem.model.n_experts, 1.0 / problem.model.n_experts)
    for _ in range(_TO_OPTIMUM):
        after = _em_step(problem, weights)
        excess = float((after / np.maximum(weights, _TINY)).max() - 1.0)
        if excess <= ROUNDING:
            break
        weights = after
    return weights, max(excess, 0.0)


CLAIM = Claim(
    id="C5-constant-gate",
    statement="Experts known, gate constant: L is convex in pi, L_T - L* <= KL(pi* || pi_0) / (T + 1).",
    latex=r"L(\pi_T) - L^* \le \mathrm{KL}(\pi^* \| \pi_0) / (T + 1)",
    source="Kunstner, Kumar, Schmidt 2021 (setting); exact form derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("the optimum second", {"order": "start first"}),
        Sabotage("convex in the natural parameter", {"midpoint": "geometric"}),
    ),
    assumptions=(regular_design, free_experts, no_prior),
)
