r"""N4: the balanced mixture of N(s, 1) and N(-s, 1): the rate as an integral, its bound and its limit.

At the truth 4 p (1 - p) = sech^2(s y), and the density of y is phi(y) exp(-s^2 / 2) cosh(s y). So
lambda(s) = exp(-s^2 / 2) E[y^2 sech(s y)] <= exp(-s^2 / 2), y standard normal; with
int u^2 sech(u) du = pi^3 / 4 it goes like exp(-s^2 / 2) pi^3 / (4 sqrt(2 pi) s^3).
"""

import numpy as np
from scipy.integrate import quad

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only
from emmd.theory.population.nodes import two_gaussians_rate
from emmd.theory.population.spectrum.quadrature import normal_density, sech

_SEPARATIONS = 0.1, 0.5, 1.0, 2.0, 4.0
_HIGH = 16.0
_LIMIT = np.pi**3 / (4.0 * np.sqrt(2.0 * np.pi))


def measure(lab, power=2.0, factor=1.0):
    """Compare the rate of EM for the mean with exp(-s^2/2) E[|y|^power sech(s y)], then the constant."""
    for s in _SEPARATIONS:
        value, error = _integral(s, power)
        level = float(np.exp(-(s**2) / 2.0))
        yield Comparison(
            level * value, two_gaussians_rate(lab, s), level * error + 1e-13, level, {"s": s}, part="integral"
        )
    # s^3 exp(s^2/2) lambda = C + O(s^-2): two separations remove the next term
    first, second = (s**3 * np.exp(s**2 / 2.0) * two_gaussians_rate(lab, s) for s in (_HIGH, 2.0 * _HIGH))
    # a quarter of the term of fourth order, (61 pi^7 / 512) / (pi^3 / 4) s^-4 relative to the first
    budget = 12.0 / _HIGH**4 * _LIMIT
    seen = float((4.0 * second - first) / 3.0)
    where = {"limit of": "s^3 exp(s^2 / 2) lambda", "s": (_HIGH, 2.0 * _HIGH)}
    yield Comparison(factor * _LIMIT, seen, budget, _LIMIT, where, part="limit")


def _integral(s, power):
    def integrand(y):
        return 2.0 * normal_density(y) * y**power * sech(s * y)

    return quad(integrand, 0.0, 40.0, points=[1.0, 10.0], epsabs=1e-14, epsrel=1e-12, limit=200)


CLAIM = Claim(
    id="N4-two-gaussians-law",
    statement="For the balanced mixture of N(s, 1) and N(-s, 1) EM's rate is exp(-s^2/2) E[y^2 sech(s y)],"
    " which goes like exp(-s^2/2) pi^3 / (4 sqrt(2 pi) s^3).",
    latex=r"\lambda(s) = e^{-s^2/2} E[y^2 \mathrm{sech}(s y)] \sim e^{-s^2/2} \pi^3 / (4 \sqrt{2\pi} s^3)",
    source="derived; compare Balakrishnan, Wainwright, Yu 2017",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("E[sech(s y)]", {"power": 0.0}),
        Sabotage("constant off in the third digit", {"factor": 1.001}, truth=1.0),
    ),
    assumptions=(linear_only,),
    scope="population",
)
