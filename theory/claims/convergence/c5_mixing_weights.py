r"""C5: mixing weights alone unknown: L is convex in them, and EM's gap is O(1/T) from every start.

L(pi) = -E log sum_k pi_k f_k(x) with known densities f_k is convex in pi, and EM multiplies pi_k by
g_k = E[f_k / sum_j pi_j f_j]. Jensen's inequality under the responsibilities at the optimum gives

    KL(pi* || pi_t) - KL(pi* || pi_{t+1}) = sum_k pi*_k log g_k >= L(pi_t) - L*,

and L decreases, so L_T - L* <= KL(pi* || pi_0) / (T + 1). The divergence has the *optimum first*. In the
natural parameter log pi the loss is not convex, so the bound of C3, whose divergence D_A(theta*, theta_0) is
KL(pi_0 || pi*), does not follow. It is false: it stays finite for a start next to a vertex of the simplex,
which EM takes arbitrarily long to leave.
"""

from functools import partial

import numpy as np
from scipy.special import expit

from emmd.theory.claim import Claim, Kind
from emmd.theory.numeric.bounds.mixing_weights import SABOTAGES, compare, known

_ROWS = 400
_COMPONENTS = (2, 3, 5)
_STEPS = 300


def measure(lab, order="optimum first", midpoint="mean"):
    """Compare convexity on chords, then the gap along paths from inside and from next to a vertex."""
    for k in _COMPONENTS:
        density = lab.once(("C5", k), lambda k=k: _densities(lab, k))

        def loss(weights, density=density):
            return -float(np.log(density @ weights).mean())

        facts = lab.once(("C5 facts", k), partial(_facts, density, loss))
        yield from compare(loss, facts, lab.rng(f"C5 chords {k}"), order, midpoint, components=k)


def _facts(density, loss):
    def step(weights):
        return weights * (density / (density @ weights)[:, None]).mean(axis=0)

    rows = np.full(_ROWS, 1.0 / _ROWS)
    # a mean of logarithms of sums of k densities
    rounding = 1e-13 * (1.0 + float(np.abs(np.log(density)).max()))
    return known(loss, step, density, rows, rounding, _STEPS)


def _densities(lab, k):
    """Densities f_j(y | x) of k known experts of the lab's family at one sample, shape (n, k)."""
    rng = lab.rng(f"C5 {k}")
    X, experts = rng.standard_normal((_ROWS, 3)), 2.0 * rng.standard_normal((k, 3))
    scores = X @ experts.T
    chosen = scores[np.arange(_ROWS), rng.integers(k, size=_ROWS)]
    if lab.model.has_density:
        y = chosen + rng.standard_normal(_ROWS)
        return np.exp(-((y[:, None] - scores) ** 2) / 2) + 1e-300
    y = np.where(rng.logistic(size=_ROWS) < chosen, 1.0, -1.0)
    return expit(y[:, None] * scores)


CLAIM = Claim(
    id="C5-mixing-weights",
    statement="With mixing weights alone unknown L is convex in them, L_T - L* <= KL(pi* || pi_0) / (T + 1).",
    latex=r"L(\pi_T) - L^* \le \mathrm{KL}(\pi^* \| \pi_0) / (T + 1)",
    source="Kunstner, Kumar, Schmidt 2021 (setting); exact form derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=SABOTAGES,
    scope="population",
)
