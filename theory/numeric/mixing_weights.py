"""Bounds on EM for mixing weights alone: gaps along paths, and convexity on chords of the simplex.

A problem is given by two functions of the weights, its loss and EM's map, so that the same checks
serve densities written out and the models' own code.
"""

import numpy as np
from scipy.special import rel_entr

from theory.claim import Comparison

ROUNDING = 1e-12
_LOOKED_AT = (0, 1, 2, 5, 10, 30, 100)


def starts(k):
    """Yield labelled weights: one inside the simplex, and ever closer to its first two vertices."""
    inside = np.arange(1.0, k + 1) ** 2
    yield "inside", inside / inside.sum()
    for j in range(min(k, 2)):
        for distance in (1e-2, 1e-6, 1e-12):
            corner = np.full(k, distance / (k - 1))
            corner[j] = 1.0 - distance
            yield f"{distance:g} from vertex {j}", corner


def gaps(loss, em_step, optimum, error, first, steps, order="optimum first", **where):
    """Compare L_T - L* with KL(pi* || pi_0) / (T + 1) along EM's path.

    Parameters
    ----------
    loss, em_step : callable
        Of weights, shape (k,).
    optimum : ndarray of shape (k,)
    error : float
        Bound of L(optimum) - L*.
    first : ndarray of shape (k,)
        pi_0.
    steps : int
    order : str
        ``optimum first``, or the divergence's other order, which is no bound.
    """
    pair = (optimum, first) if order == "optimum first" else (first, optimum)
    divergence, best, weights = float(rel_entr(*pair).sum()), loss(optimum), first
    for T in range(steps + 1):
        if T in (*_LOOKED_AT, steps):
            bound = divergence / (T + 1)
            # the optimum's loss is known to `error`, and so is the divergence from it
            at = {**where, "T": T, "says": "L_T - L*"}
            yield Comparison(bound, loss(weights) - best, error + 10 * ROUNDING, bound, at)
        weights = em_step(weights)


def convexity(loss, optimum, rng, midpoint="mean", **where):
    """Compare losses at midpoints with means of the ends, on random chords and from vertices inwards."""
    k = len(optimum)
    chords = [*rng.dirichlet(np.full(k, 0.5), size=(5, 2))]
    chords += [np.array([(1 - way) * vertex + way * optimum for way in (0.1, 1e-3)]) for vertex in np.eye(k)]
    for ends in chords:
        middle = ends.mean(axis=0) if midpoint == "mean" else _geometric_mean(ends)
        chord = np.mean([loss(end) for end in ends])
        yield Comparison(
            float(chord), loss(middle), ROUNDING, 1.0, {**where, "says": "convexity", "ends": ends}
        )


def _geometric_mean(ends):
    mean = np.sqrt(ends[0] * ends[1])
    return mean / mean.sum()
