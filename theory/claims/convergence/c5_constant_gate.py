r"""C5 on K experts: with the experts known and a constant gate L is convex in the mixing weights.

The experts are held where the probe has them; the problem's own EM on what is left, the K - 1 log
odds of a constant gate, multiplies pi_k by E[f_k / sum_j pi_j f_j]. As for known densities
L_T - L* <= KL(pi* || pi_0) / (T + 1) from every start, and nothing of the kind holds with the
divergence turned round or for convexity in the log odds.
"""

from functools import partial

import numpy as np

from emmd.core.problem import Problem
from emmd.models.mixture.model import MixtureOfExperts
from emmd.theory.assumptions import free_experts, no_prior, regular_design
from emmd.theory.claim import Claim, Kind
from emmd.theory.numeric.bounds.mixing_weights import SABOTAGES, TINY, compare, known, starts
from emmd.theory.numeric.bounds.rounding import loss_rounding

_STEPS = 100


def measure(lab, order="optimum first", midpoint="mean"):
    """Compare convexity on chords, then the gap along EM's paths, with the experts of two probes."""
    for label, theta in lab.probes[:2]:
        problem = lab.once(("C5", label), lambda theta=theta: _weights_alone(lab, theta))

        def loss(weights, problem=problem):
            return problem.loss(_log_odds(weights))

        facts = lab.once(("C5 facts", label), partial(_facts, problem, loss, lab.model.n_experts))
        yield from compare(loss, facts, lab.rng("C5 chords"), order, midpoint, point=label, theta=theta)


def _facts(problem, loss, k):
    def step(weights):
        return problem.model.posterior(problem.data, _log_odds(weights))[1] @ problem.weights

    # responsibilities under equal weights are proportional to the densities
    densities = problem.model.posterior(problem.data, np.zeros(k - 1))[1].T
    rounding = 2.0 * max(loss_rounding(problem, _log_odds(first)) for _, first in starts(k))
    return known(loss, step, densities, problem.weights, rounding, _STEPS)


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
    logs = np.log(np.maximum(weights, TINY))
    return logs[:-1] - logs[-1]


CLAIM = Claim(
    id="C5-constant-gate",
    statement="Experts known, gate constant: L is convex in pi, L_T - L* <= KL(pi* || pi_0) / (T + 1).",
    latex=r"L(\pi_T) - L^* \le \mathrm{KL}(\pi^* \| \pi_0) / (T + 1)",
    source="Kunstner, Kumar, Schmidt 2021 (setting); exact form derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=SABOTAGES,
    assumptions=(regular_design, free_experts, no_prior),
)
