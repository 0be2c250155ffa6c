"""L6: a SQUAREM cycle multiplies the error in a mode by lambda [1 - |alpha| (1 - lambda)]^2.

The squared extrapolation alone gives [1 - |alpha| (1 - lambda)]^2 with two map evaluations; the third
evaluation of the cycle, which steadies it, gives the factor lambda in front.
"""

from itertools import islice

import numpy as np

from emmd.core.loop.solve import make_algorithm
from emmd.theory.assumptions import regular_design, something_hidden, strict_minimum
from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.derivatives.jacobian import AlgorithmMap
from emmd.theory.numeric.rates.linear_start import (
    from_coordinates,
    loss_rises,
    moves,
    odd_part,
    slow_start,
    start_length,
    steps_off_the_gauge,
)

_STEP_MAX = 1e3
_LONGEST = 30.0
_WEIGHTS = np.arange(0.5, 8.0, 0.25)
"""Powers of 1 / (1 - lambda) that weigh the modes of a start."""


def measure(lab, power=2, sign=1.0, steadied=True):
    """Compare one cycle from mixtures of modes, component by component, with the factors."""
    algorithm = make_algorithm("squarem", step_max=_STEP_MAX)
    values, length = lab.information.eigenvalues, start_length(lab)
    for weight, c, alpha in islice(_starts(lab, values), 3):
        seen, error = _cycle(lab, algorithm, weight, c, length, alpha)
        factor = (1.0 - sign * alpha * (1.0 - values)) ** power * (values if steadied else 1.0)
        size = np.full(len(c), np.abs(c).max())
        yield from componentwise(factor * c, seen, error, size, f"weight {weight}", alpha=alpha)


def _starts(lab, values):
    """Yield starts from which the linear theory says that the extrapolation is accepted."""
    for weight in _WEIGHTS:
        c = slow_start(lab, weight)
        alpha = _alpha(lab, c)
        squared = (1.0 - alpha * (1.0 - values)) ** 2
        # a long step leaves the region where the map is linear, and magnifies rounding
        if alpha <= _LONGEST and not loss_rises(lab, values**2 * c, squared * c):
            yield weight, c, alpha


def _cycle(lab, algorithm, weight, c, length, alpha):
    em = AlgorithmMap(lab.problem, algorithm.base)

    def advance(theta):
        reached = algorithm.step(lab.problem, theta, None).theta
        # a cycle whose extrapolation is refused is two steps of EM: the law is not about that
        once = em(theta)
        refused = np.array_equal(reached, em(once)) and moves(lab, once, reached, theta)
        return np.full_like(reached, np.nan) if refused else reached

    return lab.once(("squarem cycle", weight), lambda: odd_part(lab, advance, c, length, (1.0 + alpha) ** 2))


def _alpha(lab, c):
    """Return |alpha| = ||(I - M) e|| / ||(I - M)^2 e||, in the algorithm's norm and bounds."""
    gap = 1.0 - lab.information.eigenvalues
    r, v = (
        np.linalg.norm(lab.scale * (from_coordinates(lab, gap**k * c) - lab.reference.theta)) for k in (1, 2)
    )
    return float(np.clip(r / v, 1.0, _STEP_MAX))


CLAIM = Claim(
    id="L6-squarem-factor",
    statement="A SQUAREM cycle multiplies the error in a mode by lambda [1 - |alpha| (1 - lambda)]^2.",
    latex=r"e_i \to \lambda_i [1 - |\alpha| (1 - \lambda_i)]^2 e_i, \quad"
    r" |\alpha| = \|(I - M) e\| / \|(I - M)^2 e\|",
    source="Varadhan, Roland 2008 without the steadying map; the factor lambda derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("factor not squared", {"power": 1}),
        Sabotage("alpha with the other sign", {"sign": -1.0}),
        Sabotage("steadying map forgotten", {"steadied": False}),
    ),
    assumptions=(regular_design, strict_minimum, something_hidden, steps_off_the_gauge),
    resolution=0.05,
)
