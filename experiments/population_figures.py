"""The figures about populations: what to compute, how finely, and where it is written."""

import numpy as np

from emmd.core.solve import minimize
from experiments.figures import (
    population_bound_truth,
    population_heat_map,
    population_iterations,
    population_paths,
    population_scaled_rate,
)
from experiments.figures.style import save
from theory.claims.s3_mixed_regression_law import high_snr_constants
from theory.claims.s4_gate_threshold import smallest_gate_moment
from theory.population.grid import population_grid
from theory.population.problem import population_problem

_COSINES = (0.0, 0.7, 1.0)
_D = 3


def write_all(folder, size=40, jobs=None):
    """Draw and save all figures about populations.

    Parameters
    ----------
    folder : str or Path
    size : int
        Points per axis of the heat maps.
    jobs : int, optional
        Threads.

    Returns
    -------
    list of Path
    """
    figures = {
        "population_rate_symmoline": heat_map("symmoline", size, jobs),
        "population_rate_symmologe": heat_map("symmologe", size, jobs),
        "population_scaled_rate": scaled_rate(),
        "population_bound": bound_against_truth(),
        "population_paths": paths(),
        "population_iterations": iterations(),
    }
    return [path for name, figure in figures.items() for path in save(figure, folder, name)]


def heat_map(model, size=40, jobs=None):
    """Draw the rate over both SNRs at three angles."""
    snr = np.geomspace(0.05, 100.0, size)
    grids = [population_grid(model, snr[:, None], snr, cosine, _D, jobs) for cosine in _COSINES]
    return population_heat_map.draw(grids)


def scaled_rate(size=60):
    """Draw SNR times the eigenvalues of mixed linear regression."""
    from theory.population.spectrum import population

    snr = np.geomspace(0.1, 100.0, size)
    expert, gate = np.array([population("symmoline", s, 0.0, 1.0).orthogonal_eigenvalues for s in snr]).T
    constants = high_snr_constants()
    return population_scaled_rate.draw(snr, gate, expert, (constants["gate"], constants["expert"]))


def bound_against_truth(size=40):
    """Draw the bound S4 and the rate, both SNRs along the same direction."""
    snr = np.geomspace(0.1, 1000.0, size)
    curves = []
    for gate in (0.1, 2.0, 10.0):
        rate = population_grid("symmoline", snr, gate, 1.0, _D).rate
        price = max(1.0, 1.0 / smallest_gate_moment(gate))
        curves.append((rf"$\mathrm{{SNR}}_g = {gate:g}$", rate, price / np.sqrt(1 + snr**2)))
    return population_bound_truth.draw(snr, curves)


def paths(snr_expert=1.0, snr_gate=1.0, cosine=0.5, size=25):
    """Draw paths of population EM from a circle of starts, over the loss minimised over w."""
    sine = np.sqrt(1 - cosine**2)
    theta = np.array([snr_expert, 0.0, snr_gate * cosine, snr_gate * sine])
    problem = population_problem("symmoline", theta, region=(2.2 * snr_expert, 3.0 * snr_gate), tol=1e-3)
    values = np.linspace(-1.5, 1.5, size) * snr_expert
    loss = np.array([[_profile_loss(problem, np.array([u, v]), theta[2:]) for v in values] for u in values])
    runs = [
        minimize(problem, np.array([*start, 0.1, 0.1]), max_iter=200, tol=1e-5, record=True)
        for start in 1.3 * snr_expert * _circle(0.4 + np.arange(6) * np.pi / 3)
    ]
    title = f"Population EM, SNR_e = {snr_expert:g}, SNR_g = {snr_gate:g}, cosine = {cosine:g}"
    tracks = [run.trace.theta[:, :2] for run in runs]
    optima = np.stack([theta[:2], -theta[:2]])
    return population_paths.draw(title, (values, values), loss - problem.loss(theta), tracks, optima)


def _circle(turns):
    return np.stack([np.cos(turns), np.sin(turns)], axis=1)


def _profile_loss(problem, beta, w_star):
    """Return min over w of the loss at beta, from the gate that belongs to the nearer optimum."""
    from scipy.optimize import minimize as scipy_minimize

    def evaluate(w):
        theta = np.concatenate([beta, w])
        return problem.loss(theta), problem.gradient(theta)[2:]

    start = w_star if beta[0] >= 0 else -w_star
    return scipy_minimize(evaluate, start, jac=True, method="BFGS", options={"gtol": 1e-5}).fun


def iterations(size=40):
    """Draw iterations to 1e-8 against the common SNR of expert and gate, or the expert's alone."""
    snr = np.geomspace(0.3, 300.0, size)
    curves = [
        ("linear, no gate", population_grid("symmoline", snr, 0.0, 1.0, _D).rate),
        ("linear, orthogonal gate of equal SNR", population_grid("symmoline", snr, snr, 0.0, _D).rate),
        ("linear, parallel gate of equal SNR", population_grid("symmoline", snr, snr, 1.0, _D).rate),
        ("logistic, orthogonal gate of equal SNR", population_grid("symmologe", snr, snr, 0.0, _D).rate),
        ("logistic, cosine 0.9, equal SNR", population_grid("symmologe", snr, snr, 0.9, _D).rate),
    ]
    return population_iterations.draw(snr, curves)
