r"""N5: mixing weights over a dictionary: the gap after T steps from uniform ones, and a bound that certifies.

EM multiplies pi_k by g_k = E[f_k / p], p = sum_j pi_j f_j. From uniform weights KL(pi* || pi_0) <= log K, so
L_T - L* <= log K / T. Whatever the weights, L - L* = E log(p* / p) <= log E[p* / p] <= log max_k g_k: a bound
of the gap that needs no optimum.
"""

import numpy as np

from emmd.core.problem import Problem
from emmd.models.mixture.model import MixtureOfExperts
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.numeric.bounds.mixing_weights import TINY
from emmd.theory.population.lab import linear_only

_ROWS = 300
_DICTIONARY = np.linspace(-4.0, 4.0, 17)
_STEPS = 1200
_LOOKED_AT = (1, 3, 10, 30, 100, 300)


def measure(lab, power=1.0, share=1.0):
    """Compare gaps with log K / T^power and with the dual bound, from the path of emmd's own EM."""
    gaps, duals, error = lab.once("N5", lambda: _path(lab.rng("N5")))
    K = len(_DICTIONARY)
    for t in _LOOKED_AT:
        bound = float(np.log(K)) / t**power
        yield Comparison(bound, gaps[t], error, bound, {"T": t, "K": K}, part="log K / T")
        yield Comparison(share * duals[t], gaps[t], error, duals[t], {"T": t, "K": K}, part="dual")


def _path(rng):
    """Return the gaps and the dual bounds along a path from uniform weights, and the error of the optimum."""
    K = len(_DICTIONARY)
    fixed = {"coef": _DICTIONARY[:, None], "dispersion": np.zeros(K)}
    y = rng.choice([-1.3, 0.0, 2.1], _ROWS) + rng.standard_normal(_ROWS)
    model = MixtureOfExperts(1, K, "gaussian", "constant", fixed=fixed)
    problem = Problem(model, np.ones((_ROWS, 1)), y)
    weights, losses, duals = np.full(K, 1.0 / K), [], []
    for _ in range(_STEPS + 1):
        theta = np.log(np.maximum(weights, TINY))
        theta = theta[:-1] - theta[-1]
        losses.append(problem.loss(theta))
        after = problem.weights @ problem.responsibilities(theta)
        # EM's factor of each weight is E[f_k / p]
        duals.append(float(np.log((after / np.maximum(weights, TINY)).max())))
        weights = after
    # the last dual bound says how far the last loss is from the optimum
    return [loss - losses[-1] for loss in losses], duals, duals[-1] + 1e-14


CLAIM = Claim(
    id="N5-dictionary",
    statement="Mixing weights over K known densities: L_T - L* <= log K / T from uniform weights; from any,"
    " L - L* <= log max_k E[p_k / p].",
    latex=r"L_T - L^* \le \log K / T, \qquad L^* \ge L - \log \max_k E[p_k / p]",
    source="Aubin-Frankowski, Korba, Leger 2022 (arXiv 2206.08873)",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("log K / T^2", {"power": 2.0}, truth=1.0),
        Sabotage("a tenth of the dual bound", {"share": 0.1}, truth=1.0),
    ),
    assumptions=(linear_only,),
    resolution=0.5,
    scope="population",
)
