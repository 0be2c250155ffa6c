r"""L7: without signal (beta* = 0, w = 0 known) EM for mixed regression is sublinear: 1 / sqrt(6 t).

The population map keeps the direction of beta and takes its norm r to T(r) = E[z tanh(r z)], z = y v the
product of two standard normals. T(r) = r - 3 r^3 + O(r^5), for E z^2 = 1 and E z^4 = 9; so 1 / r^2 grows by 6
a step.
"""

import numpy as np
from scipy.special import k0

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only
from emmd.theory.population.landscape.problem import population_problem

_STEPS = 4096
_STARTS = (0.2, 1.0)
_TOL = 1e-9


def measure(lab, growth=6.0, law="sublinear"):
    """Compare the growth of 1 / r^2 a step with 6, and the map with one EM step on quadrature nodes."""
    for start in _STARTS:
        path = lab.once(("L7", start), lambda r=start: _path(r))
        yield _growth(path, start, growth, law)
    problem = lab.once(
        "L7 problem", lambda: population_problem("symmoline", np.zeros(4), (1.0, 0.5), tol=_TOL)
    )
    for r in _STARTS:
        stepped = problem.em_step(np.array([0.6 * r, 0.8 * r, 0.0, 0.0]))
        expected = _map(r) * np.array([0.6, 0.8, 0.0, 0.0])
        for j, (predicted, value) in enumerate(zip(expected, stepped)):
            where = {"map at": r, "component": j}
            # the nodes' own accuracy, with the factor by which Hessians were seen to exceed it
            yield Comparison(float(predicted), float(value), 20 * _TOL, 1.0, where)


def _growth(path, start, growth, law):
    """The mean growth over the last octaves of t; its error is about c/t, so two octaves remove most."""
    if law == "linear":
        octave = np.log(path[_STEPS // 2] / path[_STEPS]), np.log(path[_STEPS // 4] / path[_STEPS // 2])
        where = {"start": start, "log of the contraction over": "two octaves"}
        return Comparison(2.0 * octave[1], octave[0], 0.1 * octave[1], octave[1], where)
    early, late = ((path[2 * t] ** -2 - path[t] ** -2) / t for t in (_STEPS // 4, _STEPS // 2))
    value = 2 * late - early
    where = {"start": start, "t": (_STEPS // 2, _STEPS), "growth of": "1 / ||beta||^2"}
    return Comparison(growth, float(value), abs(late - early), growth, where)


def _path(r):
    path = [r]
    for _ in range(_STEPS):
        path.append(_map(path[-1]))
    return np.array(path)


# z = e^s: the trapezoidal rule meets the logarithm of K_0 at 0 as a decay at -infinity.
_S = np.arange(-24.0, 4.0, 0.05)
_Z = np.exp(_S)
_WEIGHTS = 2 / np.pi * 0.05 * _Z**2 * k0(_Z)


def _map(r):
    """E[z tanh(r z)] with z of density K_0(|z|) / pi."""
    return float(_WEIGHTS @ np.tanh(r * _Z))


CLAIM = Claim(
    id="L7-no-signal",
    statement="With beta* = 0 and w = 0 the population iterate of mixed regression goes like 1 / sqrt(6 t).",
    latex=r"\beta^* = 0,\ w = 0: \quad \|\beta_t\| \sim 1 / \sqrt{6 t}",
    source="derived",
    kind=Kind.RATE,
    measure=measure,
    sabotages=(
        Sabotage("1 / sqrt(4 t)", {"growth": 4.0}),
        Sabotage("1 / sqrt(3 t)", {"growth": 3.0}),
        Sabotage("a linear rate", {"law": "linear"}),
    ),
    assumptions=(linear_only,),
    resolution=0.02,
    scope="population",
)
