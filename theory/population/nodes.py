"""Weighted samples that stand for a population: the nodes of trapezoidal rules are rows like any other."""

import numpy as np

from emmd.core.problem import Problem
from emmd.models.symmetric.linear import SymMoLinE
from emmd.theory.population.spectrum.quadrature import normal_density

REACH = 12.0
"""Standard deviations, beyond which a normal law has a share of 1e-32."""


def two_gaussians(s: float, step: float) -> Problem:
    """Return the balanced mixture of N(s, 1) and N(-s, 1): SymMoLinE with the one feature x = 1.

    Parameters
    ----------
    s : float
    step : float
        Between the nodes: the error is about exp(-pi^2 / (r step)) for a map tanh(r y).
    """
    y = np.arange(-s - REACH, s + REACH + step, step)
    weights = normal_density(y - s) + normal_density(y + s)
    return Problem(SymMoLinE(1), np.ones((len(y), 1)), y, weights)


def two_gaussians_rate(lab, s: float) -> float:
    """Return EM's rate for the mean at the truth of `two_gaussians`, the weights known, kept in a lab."""

    def missing_share():
        complete, missing = two_gaussians(s, 0.25 / max(s, 1.0)).informations(np.array([s, 0.0]))
        return float(missing[0, 0] / complete[0, 0])

    return lab.once(("two Gaussians", s), missing_share)


def pure_noise(step: float) -> Problem:
    """Return regression without signal: y and the first feature independent and normal, an intercept."""
    nodes = np.arange(-REACH, REACH + step, step)
    x, y = (each.ravel() for each in np.meshgrid(nodes, nodes))
    X = np.column_stack([x, np.ones(len(x))])
    return Problem(SymMoLinE(2), X, y, normal_density(x) * normal_density(y))


def expert_step(problem: Problem, beta: np.ndarray, gate: np.ndarray) -> np.ndarray:
    """Return EM's next beta where w = gate is known: the M-step of beta does not depend on that of w."""
    return problem.em_step(np.concatenate([beta, gate]))[: len(beta)]
