"""A user's own bound on the rate of population EM: checked on a grid, then attacked by a global search."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from emmd.core.checks import MANY, instance, known_name, positive_integer, real_array, seed_integer
from emmd.theory.claim import Comparison, Kind
from emmd.theory.population.bounds.values import BoundFunction
from emmd.theory.population.spectrum.grid import population_grid
from emmd.theory.population.spectrum.spectrum import population
from emmd.theory.verdict import Verdict, grade

__all__ = ["BoundCheck", "BoundGrid", "check_bound"]

_KINDS = {"upper": Kind.UPPER_BOUND, "lower": Kind.LOWER_BOUND}
# A bound beyond these says nothing: a rate lies in [0, 1].
_TRIVIAL = {"upper": 1.0, "lower": 0.0}
# Rates that the local search may cost after the global one, from the worst point of both grid and search.
_POLISH = 150


@dataclass(frozen=True)
class BoundGrid:
    """Where a bound is checked; the search covers the same box.

    Attributes
    ----------
    snr_expert, snr_gate : tuple of float
        Ascending, at least two values each; positive. The search is uniform in their logarithms.
    cosine : tuple of float
        Ascending.
    d : int
        Number of features, at least 2.
    """

    snr_expert: tuple = tuple(np.geomspace(1e-2, 1e2, 9).tolist())
    snr_gate: tuple = tuple(np.geomspace(1e-2, 1e2, 9).tolist())
    cosine: tuple = (-1.0, -0.9, -0.5, 0.0, 0.5, 0.9, 1.0)
    d: int = 3


@dataclass(frozen=True, eq=False)
class BoundCheck:
    """What came of a bound; `emmd.experiments.figures.population.slack.draw` makes its figure.

    Attributes
    ----------
    verdict : Verdict
        ``holds``, ``vacuous`` (nowhere better than the bound that is true of everything) or ``violated``.
    kind : str
        ``"upper"`` or ``"lower"``.
    point : dict
        snr_expert, snr_gate, cosine, d where the bound has the least slack: where it fails worst, if it does.
    bound, rate, error : float
        There; `error` bounds the error of the rate.
    loosest : dict
        The point where the bound is farthest from the rate: of the grid, or of a second search if it holds.
    slack : ndarray of shape (expert, gate, cosine)
        What is left of the bound over the grid; negative where it fails.
    grid : BoundGrid
    found_by : str
        ``"grid"`` or ``"search"``: what gave `point`.
    evaluations : int
        Rates computed.
    """

    model: str
    text: str
    verdict: Verdict
    kind: str
    point: dict
    bound: float
    rate: float
    error: float
    loosest: dict
    slack: np.ndarray
    grid: BoundGrid
    found_by: str
    evaluations: int


def check_bound(
    expression: str,
    model: str,
    kind: str = "upper",
    grid: BoundGrid | None = None,
    seed: Any = 0,
    effort: int = 12,
    progress: bool | Callable | None = None,
) -> BoundCheck:
    """Check a bound on lambda_max(M(theta*)) and look for the point where it fails or is tightest.

    Parameters
    ----------
    expression : str or sympy expression or callable
        In snr_e, snr_g, cosine and d. Text is parsed, never executed; a callable takes the four as arrays of
        one shape, or, if it does not understand arrays, as floats.
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    kind : str
        ``"upper"`` or ``"lower"``.
    grid : BoundGrid, optional
    seed : int
        Seeds the search: scipy's differential evolution, then Nelder-Mead from the worst point seen.
    effort : int
        Generations of the search.
    progress : bool or callable, optional
        True shows a bar on standard error; a callable is called as ``progress(done, total)`` during the grid.

    Returns
    -------
    BoundCheck

    Raises
    ------
    TypeError
        For an expression or a grid of another type.
    ValueError
        If the expression does not parse, uses unknown names, or has no value, a complex one or NaN at a point
        of the grid or of the search. Infinite bounds are allowed: where they say nothing they are vacuous.
    """
    known_name("kind", kind, _KINDS)
    attack = _Attack(
        BoundFunction(expression),
        model,
        1.0 if kind == "upper" else -1.0,
        BoundGrid() if grid is None else _checked(grid),
        seed_integer("seed", seed),
        positive_integer("effort", effort, maximum=MANY),
    )
    mesh = np.meshgrid(*attack.axes, indexing="ij")
    rates = population_grid(model, mesh[0], mesh[1], mesh[2], attack.grid.d, progress=progress)
    values = attack.bound(*mesh, attack.grid.d)
    slack = attack.sign * (values - rates.rate)
    worst, loosest = _at(mesh, slack.argmin()), _at(mesh, slack.argmax())
    searched = attack.search(worst, 1.0)
    comparisons = [attack.compare(point) for point in (worst, searched)]
    found_by = int(attack.left(comparisons[1]) < attack.left(comparisons[0]))
    tightest = comparisons[found_by]
    graded = grade(_KINDS[kind], [tightest, *_rows(values, rates, kind)], resolution=1.0)
    if graded.verdict is not Verdict.VIOLATED:
        loosest = attack.search(loosest, -1.0)
    return BoundCheck(
        model=model,
        text=attack.bound.text,
        verdict=graded.verdict,
        kind=kind,
        point=dict(tightest.where),
        bound=tightest.predicted,
        rate=tightest.observed,
        error=tightest.budget,
        loosest=_named(loosest, attack.grid.d),
        slack=slack,
        grid=attack.grid,
        found_by=("grid", "search")[found_by],
        evaluations=slack.size + attack.evaluations,
    )


def _checked(grid):
    instance("grid", grid, BoundGrid, "a BoundGrid")
    positive_integer("d", grid.d, minimum=2)
    for name in ("snr_expert", "snr_gate", "cosine"):
        axis = real_array(f"{name} of the grid", getattr(grid, name), 1)
        if axis.size < 2 or not (np.diff(axis) > 0).all():
            raise ValueError(f"{name} of the grid must be two or more ascending numbers, got {axis.tolist()}")
        if name != "cosine" and not axis[0] > 0:
            raise ValueError(f"{name} of the grid must be positive, got {axis[0]}")
    return grid


def _at(mesh, flat):
    return tuple(float(axis.flat[flat]) for axis in mesh)


def _named(point, d):
    return dict(zip(("snr_expert", "snr_gate", "cosine"), point)) | {"d": d}


def _rows(values, rates, kind):
    """The grid as comparisons, so that one verdict is given on all points."""
    rows = zip(values.flat, rates.rate.flat, rates.error.flat)
    return [
        Comparison(float(value), float(rate), float(error), scale=1.0, trivial=_TRIVIAL[kind])
        for value, rate, error in rows
    ]


class _Attack:
    """A bound, the box in which it is attacked, and a search in that box."""

    def __init__(self, bound, model, sign, grid, seed, effort):
        self.bound, self.model, self.sign, self.grid = bound, model, sign, grid
        self.seed, self.effort, self.evaluations = seed, effort, 0
        self.axes = [np.asarray(axis, float) for axis in (grid.snr_expert, grid.snr_gate, grid.cosine)]
        # a lambda keeps the cache with the object
        self.spectrum = cache(lambda *point: population(model, *point))

    def compare(self, point):
        """Return the comparison of the bound with the rate at a point."""
        spectrum, value = self.spectrum(*point), float(self.bound(*point, self.grid.d))
        where = _named(point, self.grid.d)
        trivial = _TRIVIAL["upper" if self.sign > 0 else "lower"]
        return Comparison(value, spectrum.rate(self.grid.d), spectrum.error, 1.0, where, trivial)

    def left(self, comparison):
        """Return the slack of a comparison."""
        return self.sign * (comparison.predicted - comparison.observed)

    def search(self, start, aim):
        """Return the point of the box with the least (aim 1) or most (aim -1) slack that is found."""
        from scipy.optimize import differential_evolution, minimize

        low, high = (self._to_box(axis[k] for axis in self.axes) for k in (0, -1))

        def slack(u):
            return aim * self.left(self.compare(self._from_box(low + u * (high - low))))

        box = [(0.0, 1.0)] * 3
        try:
            found = differential_evolution(
                slack,
                box,
                x0=np.clip((self._to_box(start) - low) / (high - low), 0.0, 1.0),
                rng=np.random.default_rng(self.seed),
                maxiter=self.effort,
                popsize=8,
                tol=1e-9,
                polish=False,
            )
        except RuntimeError as error:
            # scipy takes a ValueError of the objective for a fault of its workers
            raise (error.__cause__ or error) from None
        polished = minimize(slack, found.x, method="Nelder-Mead", bounds=box, options={"maxfev": _POLISH})
        self.evaluations += found.nfev + polished.nfev
        return self._from_box(low + min(found, polished, key=lambda end: end.fun).x * (high - low))

    @staticmethod
    def _to_box(point):
        expert, gate, cosine = point
        return np.array([np.log(expert), np.log(gate), cosine])

    def _from_box(self, u):
        # the exponential of a logarithm may leave the box by a rounding
        coordinates = (np.exp(u[0]), np.exp(u[1]), u[2])
        return tuple(float(np.clip(v, axis[0], axis[-1])) for v, axis in zip(coordinates, self.axes))
