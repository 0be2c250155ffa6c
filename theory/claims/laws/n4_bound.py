"""N4: the balanced mixture of N(s, 1) and N(-s, 1): EM's rate is at most exp(-s^2 / 2)."""

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only
from emmd.theory.population.nodes import two_gaussians_rate

_SEPARATIONS = 0.05, 0.1, 0.5, 1.0, 2.0, 4.0


def measure(lab, exponent=0.5):
    """Compare the rate with exp(-exponent s^2)."""
    for s in _SEPARATIONS:
        bound = float(np.exp(-exponent * s**2))
        yield Comparison(bound, two_gaussians_rate(lab, s), 1e-12, bound, {"s": s}, trivial=1.0)


CLAIM = Claim(
    id="N4-two-gaussians-bound",
    statement="For the balanced mixture of N(s, 1) and N(-s, 1) EM's rate is at most exp(-s^2 / 2).",
    latex=r"\lambda(s) \le e^{-s^2/2}",
    source="derived; compare Balakrishnan, Wainwright, Yu 2017",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    # lambda = exp(-s^2/2) (1 - 3 s^2/2 + ...): a sharper exponent than 2 is false at small s
    sabotages=(Sabotage("exp(-5 s^2 / 2)", {"exponent": 2.5}, truth=0.5),),
    assumptions=(linear_only,),
    scope="population",
)
