r"""N1: two components fitted to one, weights known: EM is linear where they are unequal, sublinear where not.

Without signal the mean map is E[z tanh(nu + r z)], z = y for the Gaussian mixture and y x for mixed
regression, 2 nu the logit difference of the weights. Its derivative at r = 0 is sech^2(nu). Where nu = 0 the
map of the mixture is r - r^3 + O(r^5), since E y^4 = 3: 1 / r^2 grows by 2 a step, r_t ~ 1 / sqrt(2 t). (For
mixed regression it grows by 6, see L7.)
"""

from functools import partial

import numpy as np

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only
from emmd.theory.population.nodes import expert_step, pure_noise, two_gaussians

_HALF_LOGITS = 0.0, 0.3, 1.0, 2.0
_STEP = 0.25
_H = 1e-4
_STEPS = 2048
_START = 0.5


def measure(lab, power=2.0, share=1.0, growth=2.0):
    """Compare the map's derivative at 0 with sech(share nu)^power, then the growth of 1 / r^2 a step."""
    mixture, regression = lab.once("N1", lambda: (two_gaussians(0.0, _STEP), pure_noise(_STEP)))
    for name, problem in (("mixture", mixture), ("regression", regression)):
        for nu in _HALF_LOGITS:
            slope = lab.once(("N1", name, nu), partial(_slope, problem, nu))
            # the third derivative of the map is at most 2 E z^4
            budget = 2.0 * 9.0 * _H**2 + 1e-11
            where = {"model": name, "half the logit difference": nu}
            yield Comparison(float(np.cosh(share * nu)) ** -power, slope, budget, 1.0, where, part=name)
    path = lab.once("N1 path", partial(_path, mixture))
    early, late = ((path[2 * t] ** -2 - path[t] ** -2) / t for t in (_STEPS // 4, _STEPS // 2))
    where = {"model": "mixture", "t": (_STEPS // 2, _STEPS), "growth of": "1 / r^2"}
    # the error is about c / t: two octaves remove most of it
    yield Comparison(growth, 2.0 * late - early, abs(late - early), growth, where, part="balanced")


def _mapped(problem, r, nu):
    """Return the step of EM from r along the first feature; the last one, a constant, has the gate."""
    d = problem.model.n_features
    beta, gate = np.zeros(d), np.zeros(d)
    beta[0], gate[-1] = r, 2.0 * nu
    return float(expert_step(problem, beta, gate)[0])


def _slope(problem, nu):
    return (_mapped(problem, _H, nu) - _mapped(problem, -_H, nu)) / (2.0 * _H)


def _path(problem):
    path = [_START]
    for _ in range(_STEPS):
        path.append(_mapped(problem, path[-1], 0.0))
    return path


CLAIM = Claim(
    id="N1-over-specified",
    statement="Two components fitted to one, weights known, logit difference 2 nu: EM's rate is sech^2(nu);"
    " balanced Gaussians shrink like 1 / sqrt(2 t).",
    latex=r"\beta^* = 0: \quad \lambda = \mathrm{sech}^2(\nu); \qquad \nu = 0: \quad r_t \sim 1 / \sqrt{2 t}",
    source="derived; compare Dwivedi et al. 2020",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("sech(nu)", {"power": 1.0}, truth=2.0),
        Sabotage("nu for half the logit difference", {"share": 0.5}, truth=1.0),
        Sabotage("1 / sqrt(6 t), the law of regression", {"growth": 6.0}, truth=2.0),
    ),
    assumptions=(linear_only,),
    resolution=0.02,
    scope="population",
)
