"""The figures about populations: what to compute, how finely, and where it is written."""

from functools import cache, partial

import numpy as np

from emmd.core.loop.solve import minimize
from emmd.experiments.console.consoles import progress
from emmd.experiments.figures.population import (
    ball as ball_figure,
)
from emmd.experiments.figures.population import (
    basin as basin_figure,
)
from emmd.experiments.figures.population import (
    bound_truth as bound_truth_figure,
)
from emmd.experiments.figures.population import (
    heat_map as heat_map_figure,
)
from emmd.experiments.figures.population import (
    iterations as iterations_figure,
)
from emmd.experiments.figures.population import (
    monotone as monotone_figure,
)
from emmd.experiments.figures.population import (
    paths as paths_figure,
)
from emmd.experiments.figures.population import (
    scaled_rate as scaled_rate_figure,
)
from emmd.experiments.figures.style import save
from emmd.theory.claims.snr.s3_mixed_regression_law import high_snr_constants
from emmd.theory.claims.snr.s4_gate_threshold import smallest_gate_moment
from emmd.theory.population.landscape.ball import ball_constants
from emmd.theory.population.landscape.basin import basin_map
from emmd.theory.population.landscape.polar import RegionError
from emmd.theory.population.landscape.problem import population_problem
from emmd.theory.population.spectrum.grid import population_grid
from emmd.theory.population.spectrum.spectrum import population

_COSINES = (0.0, 0.7, 1.0)
_D = 3
_SUBLINEAR = 1 - 1e-6


def write_all(folder, model="symmoline", snr_expert=1.0, snr_gate=1.0, cosine=0.5, size=36):
    """Draw and save the figures about a model's population, with a progress bar.

    Parameters
    ----------
    folder : str or Path
    model : str
    snr_expert, snr_gate, cosine : float
        The true parameter of the paths, the basins and the balls.
    size : int
        Points per axis of the heat maps.

    Returns
    -------
    paths : list of Path
    left_out : list of str
        Why a figure was not drawn: at high SNR the whole plane needs too many nodes, and at a singular theta*
        EM is sublinear.
    """
    point = (model, snr_expert, snr_gate, cosine)
    grids = cache(lambda: rate_grids(model, size))
    figures = {
        f"population_rate_{model}": lambda: heat_map_figure.draw(grids()),
        f"population_monotone_expert_{model}": lambda: monotone_figure.draw(grids(), 0),
        f"population_monotone_gate_{model}": lambda: monotone_figure.draw(grids(), 1),
        "population_scaled_rate": scaled_rate,
        "population_bound_truth": bound_against_truth,
        "population_iterations": iterations,
    }
    local = {f"population_{make.__name__}_{model}": partial(make, *point) for make in (ball, paths, basin)}
    written, left_out = [], []
    if population(*point).rate(2) > _SUBLINEAR:
        left_out.append(f"{', '.join(local)} are left out: theta* is singular, so that EM is sublinear")
    else:
        figures |= local
    with progress(len(figures), "figures") as advance:
        for name, make in figures.items():
            try:
                written += save(make(), folder, name)
            except RegionError as error:
                left_out.append(f"{name} is left out: {error}")
            advance(name)
    return written, left_out


def rate_grids(model, size=36, jobs=None):
    """Return the rates over both SNRs at three angles, with a progress bar."""
    snr = np.geomspace(0.05, 100.0, size)
    with progress(len(_COSINES) * size**2, "rates") as advance:
        return [
            population_grid(model, snr[:, None], snr, cosine, _D, jobs, lambda done, total: advance())
            for cosine in _COSINES
        ]


def heat_map(model, size=40, jobs=None):
    """Draw the rate over both SNRs at three angles."""
    return heat_map_figure.draw(rate_grids(model, size, jobs))


def _truth(snr_expert, snr_gate, cosine):
    gate = snr_gate * np.array([cosine, np.sqrt((1 - cosine) * (1 + cosine))])
    return np.array([snr_expert, 0.0, *gate])


def _title(what, model, snr_expert, snr_gate, cosine):
    numbers = rf"$\mathrm{{SNR}}_e = {snr_expert:g}$, $\mathrm{{SNR}}_g = {snr_gate:g}$, cosine {cosine:g}"
    return f"{what}, {model}\n{numbers}"


def ball(model="symmoline", snr_expert=1.0, snr_gate=1.0, cosine=0.5, size=12):
    """Draw the worst relative strong convexity on balls around theta*."""
    truth = _truth(snr_expert, snr_gate, cosine)
    largest = min(1.0, 0.5 * max(snr_expert, 0.1))
    problem = population_problem(model, truth, radius=1.01 * largest, tol=1e-4)
    constants = ball_constants(problem, largest * np.arange(1, size + 1) / size, progress=True)
    title = _title("Relative strong convexity around the truth", model, snr_expert, snr_gate, cosine)
    return ball_figure.draw(title, constants)


def basin(model="symmoline", snr_expert=1.0, snr_gate=1.0, cosine=0.5, size=31):
    """Draw where population EM leads from a slice of starts through theta*."""
    truth = _truth(snr_expert, snr_gate, cosine)
    sides = 1.5 * np.linspace(-1.0, 1.0, size)
    reach = 1.01 * 1.5 * np.sqrt(2.0)
    region = (max(reach * snr_expert, np.hypot(1.0, snr_expert)), max(reach * snr_gate, 1.5))
    if model != "symmoline":
        region = 2 * (max(region) + 1.5,)
    problem = population_problem(model, truth, region=region, tol=1e-2)
    found = basin_map(problem, sides, sides, progress=True)
    title = _title("Where population EM leads", model, snr_expert, snr_gate, cosine)
    return basin_figure.draw(title, found, _copy_names(found.copies))


def _copy_names(copies):
    swapped = np.concatenate(np.split(copies[0], 2)[::-1])
    known = [(copies[0], r"$\theta^*$"), (-copies[0], r"$-\theta^*$")]
    known += [(swapped, r"$(w^*, \beta^*)$"), (-swapped, r"$-(w^*, \beta^*)$")]
    return [next(name for value, name in known if np.allclose(value, copy)) for copy in copies]


def scaled_rate(size=60):
    """Draw SNR times the eigenvalues of mixed linear regression."""
    snr = np.geomspace(0.1, 100.0, size)
    expert, gate = np.array([population("symmoline", s, 0.0, 1.0).orthogonal_eigenvalues for s in snr]).T
    constants = high_snr_constants()
    return scaled_rate_figure.draw(snr, gate, expert, (constants["gate"], constants["expert"]))


def bound_against_truth(size=40):
    """Draw the bound S4 and the rate, both SNRs along the same direction."""
    snr = np.geomspace(0.1, 1000.0, size)
    curves = []
    for gate in (0.1, 2.0, 10.0):
        rate = population_grid("symmoline", snr, gate, 1.0, _D).rate
        price = max(1.0, 1.0 / smallest_gate_moment(gate))
        curves.append((rf"$\mathrm{{SNR}}_g = {gate:g}$", rate, price / np.sqrt(1 + snr**2)))
    return bound_truth_figure.draw(snr, curves)


def paths(model="symmoline", snr_expert=1.0, snr_gate=1.0, cosine=0.5, size=25):
    """Draw paths of population EM from a circle of starts, over the loss minimised over w."""
    theta = _truth(snr_expert, snr_gate, cosine)
    scale = max(snr_expert, 0.5)
    problem = population_problem(model, theta, region=(2.2 * scale, 3.0 * max(snr_gate, 1.0) + 1.0), tol=1e-2)
    values = np.linspace(-1.5, 1.5, size) * scale
    runs = [
        minimize(problem, np.array([*start, 0.1, 0.1]), max_iter=200, tol=1e-5, record=True)
        for start in 1.3 * scale * _circle(0.4 + np.arange(6) * np.pi / 3)
    ]
    loss = _profile(problem, values, theta)
    tracks = [run.trace.theta[:, :2] for run in runs]
    optima = problem.model.equivalents(theta)[:, :2]
    title = _title("Paths of population EM", model, snr_expert, snr_gate, cosine)
    return paths_figure.draw(title, (values, values), loss, tracks, optima)


def _profile(problem, values, theta):
    """Loss above its minimum over the square of `values`; half of it is computed, theta -> -theta is free."""
    size = len(values)
    loss = np.empty((size, size))
    with progress((size + 1) // 2, "loss contours") as advance:
        for i in range(size // 2, size):
            for j, v in enumerate(values):
                beta = np.array([values[i], v])
                loss[i, j] = loss[size - 1 - i, size - 1 - j] = _profile_loss(problem, beta, theta[2:])
            advance()
    return np.maximum(loss - problem.loss(theta), 0.0)


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
    return iterations_figure.draw(snr, curves)
