"""S1, the equality behind the laws: the population's informations at a general angle, by two quadratures.

The integrals of `emmd.theory.population.spectrum.information` narrow, stretch and split the plane for the
true parameter; `emmd.theory.population.landscape.problem` lays nodes for any parameter, and the models' own
code adds up the informations over them. Every term of the integrals counts in the spectrum at a general
angle, as it does not at w* = 0.
"""

import numpy as np

from emmd.theory.claim import Claim, Kind, Sabotage, componentwise
from emmd.theory.numeric.rates.information import missing_information
from emmd.theory.population.lab import at
from emmd.theory.population.landscape.problem import population_problem

_POINTS = {
    "symmoline": ((1.5, 1.0, 0.5), (0.7, 2.0, -0.8), (3.0, 1.5, 0.2)),
    "symmologe": ((4.0, 2.0, 0.3), (1.0, 1.5, -0.6), (3.0, 3.0, 0.8)),
}
_TOL = 1e-7


def measure(lab, turned=0.0, cross=1.0):
    """Compare all eigenvalues of M in the plane; `turned` is added to the cosine, `cross` scales a block."""
    for point in _POINTS[lab.model.name]:
        snr_expert, snr_gate, cosine = point
        information = lab.information(snr_expert, snr_gate, cosine + turned).plane.copy()
        information[:2, 2:] *= cross
        information[2:, :2] *= cross
        seen = lab.once(("nodes", point), lambda point=point: _by_nodes(lab.model.name, *point))
        budget, ones = np.full(4, 20.0 * _TOL), np.ones(4)
        yield from componentwise(
            np.linalg.eigvalsh(information), seen, budget, ones, str(point), **at(*point)
        )


def _by_nodes(name, snr_expert, snr_gate, cosine):
    gate = snr_gate * np.array([cosine, np.sqrt(1.0 - cosine**2)])
    problem = population_problem(name, np.array([snr_expert, 0.0, *gate]), tol=_TOL)
    return missing_information(problem, problem.theta_star).eigenvalues


CLAIM = Claim(
    id="S1-population-information",
    statement="The spectrum of M(theta*) by integrals over the plane is that of quadrature nodes.",
    latex=r"\mathrm{spec}(M(\theta^*)) = \mathrm{spec}((\sum_i c_i I_{com,i})^{-1} \sum_i c_i I_{mis,i})",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("another angle", {"turned": 0.1}, truth=0.0),
        Sabotage("the cross term twice", {"cross": 2.0}, truth=1.0),
    ),
    scope="population",
)
