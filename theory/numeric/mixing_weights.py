"""Bounds on EM for mixing weights alone: gaps along paths, and convexity on chords of the simplex.

A problem is given by two functions of the weights, its loss and EM's map, so that the same checks
serve densities written out and the models' own code.
"""

import numpy as np
from scipy.special import rel_entr

from theory.claim import Comparison, Sabotage

SABOTAGES = (
    Sabotage("the optimum second", {"order": "start first"}),
    Sabotage("convex in the natural parameter", {"midpoint": "geometric"}),
)
"""False variants of `compare`."""

TINY = 1e-300
_ROUNDING = 1e-12
_TO_OPTIMUM = 20_000
_LOOKED_AT = (0, 1, 2, 5, 10, 30, 100)


def optimum(em_step, k):
    """Return the minimiser by EM, and its gap: max_k g_k - 1 bounds L - L* by convexity, g_k EM's factor."""
    weights = np.full(k, 1.0 / k)
    for _ in range(_TO_OPTIMUM):
        after = em_step(weights)
        excess = float((after / np.maximum(weights, TINY)).max() - 1.0)
        if excess <= _ROUNDING:
            break
        weights = after
    return weights, max(excess, 0.0)


def compare(loss, em_step, known, rng, steps, order, midpoint, **where):
    """Compare convexity on chords, then the gap along paths from inside and from next to a vertex.

    Parameters
    ----------
    known : tuple
        What `optimum` returned.
    rng : numpy.random.Generator
        Of the chords.
    loss, em_step, steps, order, midpoint
        See `gaps` and `convexity`.
    """
    minimiser, error = known
    yield from convexity(loss, minimiser, rng, midpoint, **where)
    for name, start in starts(len(minimiser)):
        yield from gaps(loss, em_step, minimiser, error, start, steps, order, **where, start=name)


def starts(k):
    """Yield labelled weights: one inside the simplex, and ever closer to its first two vertices."""
    inside = np.arange(1.0, k + 1) ** 2
    yield "inside", inside / inside.sum()
    for j in range(min(k, 2)):
        for distance in (1e-2, 1e-6, 1e-12):
            corner = np.full(k, distance / (k - 1))
            corner[j] = 1.0 - distance
            yield f"{distance:g} from vertex {j}", corner


def gaps(loss, em_step, minimiser, error, first, steps, order="optimum first", **where):
    """Compare L_T - L* with KL(pi* || pi_0) / (T + 1) along EM's path.

    Parameters
    ----------
    loss, em_step : callable
        Of weights, shape (k,).
    minimiser : ndarray of shape (k,)
    error : float
        Bound of L(minimiser) - L*.
    first : ndarray of shape (k,)
        pi_0.
    steps : int
    order : str
        ``optimum first``, or the divergence's other order, which is no bound.
    """
    pair = (minimiser, first) if order == "optimum first" else (first, minimiser)
    divergence, best, weights = float(rel_entr(*pair).sum()), loss(minimiser), first
    for T in range(steps + 1):
        if T in (*_LOOKED_AT, steps):
            bound = divergence / (T + 1)
            # the optimum's loss is known to `error`, and so is the divergence from it
            at = {**where, "T": T, "says": "L_T - L*"}
            yield Comparison(bound, loss(weights) - best, error + 10 * _ROUNDING, bound, at)
        weights = em_step(weights)


def convexity(loss, minimiser, rng, midpoint="mean", **where):
    """Compare losses at midpoints with means of the ends, on random chords and from vertices inwards."""
    k = len(minimiser)
    chords = [*rng.dirichlet(np.full(k, 0.5), size=(5, 2))]
    chords += [
        np.array([(1 - way) * vertex + way * minimiser for way in (0.1, 1e-3)]) for vertex in np.eye(k)
    ]
    for ends in chords:
        middle = ends.mean(axis=0) if midpoint == "mean" else _geometric_mean(ends)
        chord = np.mean([loss(end) for end in ends])
        yield Comparison(
            float(chord), loss(middle), _ROUNDING, 1.0, {**where, "says": "convexity", "ends": ends}
        )


def _geometric_mean(ends):
    mean = np.sqrt(ends[0] * ends[1])
    return mean / mean.sum()
