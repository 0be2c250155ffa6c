r"""N3: mixed regression without noise: EM's next iterate is a point of a cycloid.

With x ~ N(0, I), y = +-x'theta* and no noise EM keeps only the angle phi of its iterate to theta*:
theta+ = E[|x'theta*| sign(x'theta) x] = |theta*| (1 - (psi - sin psi) / pi, (1 - cos psi) / pi), psi = 2 phi,
along theta* and orthogonal to it. So phi+ ~ (2 / pi) phi^2 next to theta*, and pi / 2 - phi doubles next to
the orthogonal directions.
"""

import numpy as np

from emmd.core.problem import Problem
from emmd.models.symmetric.linear import SymMoLinE
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only
from emmd.theory.population.nodes import expert_step

_ANGLES = 1e-3, 0.1, 0.7, 1.2, np.pi / 2 - 1e-3
_NODES = 40
_SIGMA = 1e-10
"""Deviation of the noise: at the nodes tanh(y x'theta / sigma^2) is a sign."""
_BUDGET = 1e-12


def measure(lab, turn=2.0, square=2.0 / np.pi, factor=2.0):
    """Compare EM's step with the cycloid, and next angles with their limits at both ends."""
    for phi in _ANGLES:
        step = _from_angle(lab, phi)
        psi = turn * phi
        cycloid = 1.0 - (psi - np.sin(psi)) / np.pi, (1.0 - np.cos(psi)) / np.pi
        for name, predicted, seen in zip(("along", "orthogonal"), cycloid, step):
            where = {"angle": phi, "component": name}
            yield Comparison(float(predicted), float(seen), _BUDGET, float(abs(seen)), where, part=name)
    small, large = _ANGLES[0], _ANGLES[-1]
    after = [float(np.arctan2(*_from_angle(lab, phi)[::-1])) for phi in (small, large)]
    # both limits are approached at relative speed of about the angle
    where = {"angle": small, "next angle over": "its square"}
    yield Comparison(square, after[0] / small**2, 2.0 * small, square, where, part="near theta*")
    gap = np.pi / 2 - large
    where = {"angle": large, "growth of": "the distance from pi / 2"}
    seen = (np.pi / 2 - after[1]) / gap
    yield Comparison(factor, float(seen), 4.0 * gap, factor, where, part="near the orthogonal direction")


def _from_angle(lab, phi):
    return lab.once(("N3", phi), lambda: _step(phi))


def _step(phi):
    """Return EM's step from angle phi; the rows are nodes on the circle, between kinks of the integrand."""
    kinks = np.sort(np.concatenate([[0.5, 1.5], np.array([0.5, 1.5]) + phi / np.pi])) * np.pi
    ends = np.append(kinks, kinks[0] + 2.0 * np.pi)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = np.diff(ends) / 2.0
    angles = (ends[:-1] + half)[:, None] + half[:, None] * nodes
    X = np.column_stack([np.cos(angles.ravel()), np.sin(angles.ravel())])
    problem = Problem(SymMoLinE(2, sigma=_SIGMA), X, X[:, 0], (half[:, None] * weights).ravel())
    return expert_step(problem, np.array([np.cos(phi), np.sin(phi)]), np.zeros(2))


CLAIM = Claim(
    id="N3-cycloid",
    statement="In mixed regression without noise EM's step is"
    " |theta*| (1 - (psi - sin psi) / pi, (1 - cos psi) / pi), psi twice the angle to theta*.",
    latex=r"\theta^+ = \|\theta^*\| \left(1 - \frac{\psi - \sin\psi}{\pi},"
    r" \frac{1 - \cos\psi}{\pi}\right),\ \psi = 2\varphi",
    source="Luo, Hashemi 2024 (arXiv 2405.18237)",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("psi = 1.9 phi", {"turn": 1.9}, truth=2.0),
        Sabotage("phi+ ~ phi^2 / 2", {"square": 0.5}, truth=2.0 / np.pi),
        Sabotage("tripled next to the orthogonal direction", {"factor": 3.0}, truth=2.0),
    ),
    assumptions=(linear_only,),
    resolution=0.01,
    scope="population",
)
