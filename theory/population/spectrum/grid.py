"""Rates of population EM at many points in one call."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import known_name, numbers_array, positive_integer
from emmd.theory.population.progress import reported
from emmd.theory.population.spectrum.spectrum import population, population_models

__all__ = ["RateGrid", "population_grid"]


@dataclass(frozen=True, eq=False)
class RateGrid:
    """Rates over a grid.

    Attributes
    ----------
    model : str
    snr_expert, snr_gate, cosine : ndarray of shape (...)
        The points, broadcast against each other.
    d : int
    rate : ndarray of shape (...)
        lambda_max(M(theta*)), the local rate of population EM.
    error : ndarray of shape (...)
        Bounds on the absolute errors.
    """

    model: str
    snr_expert: np.ndarray
    snr_gate: np.ndarray
    cosine: np.ndarray
    d: int
    rate: np.ndarray
    error: np.ndarray


def population_grid(
    model: str,
    snr_expert: ArrayLike,
    snr_gate: ArrayLike,
    cosine: ArrayLike,
    d: int,
    jobs: int | None = None,
    progress: bool | Callable | None = None,
) -> RateGrid:
    """Rates of population EM over arrays of points.

    Parameters
    ----------
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    snr_expert, snr_gate, cosine : array_like
        Broadcast against each other; e.g. shapes (60, 1), (60,) and () make a 60 x 60 map.
    d : int
        Number of features.
    jobs : int, optional
        Threads; by default one for each core.
    progress : bool or callable, optional
        True shows a bar on standard error; a callable is called as ``progress(done, total)``, from the
        calling thread, after each point.

    Returns
    -------
    RateGrid

    Raises
    ------
    TypeError, ValueError
        As `population`, and for arrays that do not broadcast.

    Examples
    --------
    >>> population_grid("symmoline", [1.0, 10.0], 0.0, 1.0, d=2).rate.round(4)
    array([0.618 , 0.0809])
    """
    d = positive_integer("d", d)
    model = known_name("model", model, population_models())
    jobs = positive_integer("jobs", os.cpu_count() if jobs is None else jobs)
    points = _broadcast(snr_expert=snr_expert, snr_gate=snr_gate, cosine=cosine)

    def evaluate(point):
        spectrum = population(model, *point)
        return spectrum.rate(d), spectrum.error

    rows = [tuple(row) for row in np.stack(points, axis=-1).reshape(-1, 3).tolist()]
    rate, error = np.array(_mapped(evaluate, rows, jobs, progress)).T.reshape(2, *points[0].shape)
    return RateGrid(model, points[0], points[1], points[2], d, rate, error)


def _broadcast(**arrays):
    arrays = {name: numbers_array(name, value) for name, value in arrays.items()}
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in arrays.items())
        raise ValueError(f"the arrays must broadcast against each other, got shapes {shapes}") from None


def _mapped(evaluate, rows, jobs, progress):
    # Threads, not processes: they start at once, need no main guard and never fork compiled kernels. They
    # share the interpreter's lock between array operations, so two cores gain less than a factor of two.
    with ThreadPoolExecutor(jobs) as pool:
        return list(reported(pool.map(evaluate, rows), len(rows), progress, "rates"))
