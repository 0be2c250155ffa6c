"""Bounds on EM for mixing weights alone: gaps along paths, and convexity on chords of the simplex.

A problem is given by two functions of the weights, its loss and EM's map, so that the same checks
serve densities written out and the models' own code.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from emmd.theory.claim import Comparison, Sabotage

SABOTAGES = (
    Sabotage("the optimum second", {"order": "start first"}),
    Sabotage("convex in the natural parameter", {"midpoint": "geometric"}),
)
"""False variants of `compare`."""

TINY = 1e-300
_ROUNDING = 1e-12
_TO_OPTIMUM = 20_000
_LOOKED_AT = (0, 1, 2, 5, 10, 30, 100)


@dataclass(frozen=True)
class Known:
    """What is known of a problem in the mixing weights, computed once for a claim and its sabotages.

    Attributes
    ----------
    minimiser : ndarray of shape (k,)
    error : float
        Bound of L(minimiser) - L*.
    rounding : float
        Bound of the rounding error of a difference of two losses.
    paths : dict
        By the start's name: its weights, and the losses at the iterations that are looked at.
    """

    minimiser: np.ndarray
    error: float
    rounding: float
    paths: dict


def known(loss, em_step, densities, weights, rounding, steps):
    """Return `Known` facts.

    Parameters
    ----------
    loss, em_step : callable
        Of mixing weights, shape (k,): the problem's own.
    densities : ndarray of shape (n, k)
        Proportional to f_k(y | x) in every row: they find the optimum fast, the problem's own EM confirms it.
    weights : ndarray of shape (n,)
        Of the rows, with sum 1.
    rounding : float
    steps : int
        Of the paths.
    """
    k = densities.shape[1]
    point = np.full(k, 1.0 / k)
    for _ in range(_TO_OPTIMUM):
        growth = weights @ (densities / (densities @ point)[:, None])
        if growth.max() - 1.0 <= _ROUNDING:
            break
        point = point * growth
    # max_k g_k - 1 bounds L - L* by convexity, g_k the factor of the problem's own EM
    error = max(float((em_step(point) / np.maximum(point, TINY)).max() - 1.0), 0.0)
    paths = {name: (first, _losses(loss, em_step, first, steps)) for name, first in starts(k)}
    return Known(point, error, rounding, paths)


def _losses(loss, em_step, weights, steps):
    seen = {}
    for T in range(steps + 1):
        if T in (*_LOOKED_AT, steps):
            seen[T] = loss(weights)
        weights = em_step(weights)
    return seen


def compare(loss, facts, rng, order, midpoint, **where):
    """Compare convexity on chords, then the gap along paths from inside and from next to a vertex.

    Parameters
    ----------
    loss : callable
    facts : Known
    rng : numpy.random.Generator
        Of the chords.
    order, midpoint
        See `gaps` and `convexity`.
    """
    yield from convexity(loss, facts, rng, midpoint, **where)
    yield from gaps(loss, facts, order, **where)


def starts(k):
    """Yield labelled weights: one inside the simplex, and ever closer to its first two vertices."""
    inside = np.arange(1.0, k + 1) ** 2
    yield "inside", inside / inside.sum()
    for j in range(min(k, 2)):
        for distance in (1e-2, 1e-6, 1e-12):
            corner = np.full(k, distance / (k - 1))
            corner[j] = 1.0 - distance
            yield f"{distance:g} from vertex {j}", corner


def gaps(loss, facts, order="optimum first", **where):
    """Compare L_T - L* with KL(pi* || pi_0) / (T + 1) along EM's paths.

    Parameters
    ----------
    loss : callable
        Of weights, shape (k,).
    facts : Known
    order : str
        ``optimum first``, or the divergence's other order, which is no bound.
    """
    best, minimiser = loss(facts.minimiser), facts.minimiser
    # the optimum's loss is known to `error`, and so is the divergence from it
    budget = facts.error + facts.rounding
    for name, (first, losses) in facts.paths.items():
        pair = (minimiser, first) if order == "optimum first" else (first, minimiser)
        divergence = float(rel_entr(*pair).sum())
        for T, value in losses.items():
            at = {**where, "start": name, "T": T, "says": "L_T - L*"}
            bound = divergence / (T + 1)
            yield Comparison(bound, value - best, budget, bound, at, part="L_T - L*")


def convexity(loss, facts, rng, midpoint="mean", **where):
    """Compare losses at midpoints with means of the ends, on random chords and from vertices inwards."""
    minimiser = facts.minimiser
    k = len(minimiser)
    chords = [*rng.dirichlet(np.full(k, 0.5), size=(5, 2))]
    chords += [
        np.array([(1 - way) * vertex + way * minimiser for way in (0.1, 1e-3)]) for vertex in np.eye(k)
    ]
    for ends in chords:
        middle = ends.mean(axis=0) if midpoint == "mean" else _geometric_mean(ends)
        chord = float(np.mean([loss(end) for end in ends]))
        at = {**where, "says": "convexity", "ends": ends}
        yield Comparison(chord, loss(middle), facts.rounding, 1.0 + abs(chord), at, part="convexity")


def _geometric_mean(ends):
    mean = np.sqrt(ends[0] * ends[1])
    return mean / mean.sum()
