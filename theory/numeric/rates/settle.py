"""Responses to small displacements: shrink the displacement until the response is that of the linear map."""

from dataclasses import dataclass, replace

import numpy as np

from emmd.core.checks import DomainError

_HALVINGS = 14

_BENT = 0.5
"""Share of a change that terms of higher order may make up."""

_AT_LEAST = 0.1
"""Share of the last change that is never believed to be gone."""

_SILENT = 0.05
"""Share of the bound of rounding errors that real ones reach, about."""

ENOUGH = 1e-5
"""Changes of a response, whose own scale is 1, that need no law."""

_PAST = 4.0
"""Rounding has taken over where the error is so many times that of the best displacement."""


@dataclass(frozen=True)
class Settled:
    """The limit of a response as its displacement goes to 0.

    Attributes
    ----------
    value : ndarray
    error : ndarray
        A bound of its error; infinite where the response did not settle.
    length : float
        The displacement it was taken at.
    """

    value: np.ndarray
    error: np.ndarray
    length: float


def settle(response, length, rounding):
    """Extrapolate a response whose error is even in its displacement.

    Parameters
    ----------
    response : callable
        ``response(length)`` returns an array, which is NaN where there is nothing to believe, or a pair: the
        array, and a number that tends to 0 like the length where both signs of the displacement are treated
        alike.
    length : float
        The first displacement; it is halved until rounding takes over.
    rounding : callable
        ``rounding(length)`` bounds the rounding error of the response.

    Returns
    -------
    Settled
        Of the displacement with the least error, by Richardson's extrapolation of two. How much the
        extrapolated value changes under a halving bounds its error: it is believed only where the response's
        own change is a quarter of the change before, about, as for an analytic response it becomes.
    """
    seen, best = [], None
    for k in range(_HALVINGS):
        h = length * 0.5**k
        try:
            seen.append(_asymmetry(response(h)))
        except DomainError:
            # nearer the limit it may stay inside
            continue
        if len(seen) < 3:
            continue
        found = _extrapolated(seen[-3:], rounding(h), rounding(2.0 * h), h)
        if found is None:
            # what looked like a limit was none, unless rounding alone makes the changes
            best = None if _still_bends(seen[-3:], np.max(rounding(h) + rounding(2.0 * h))) else best
            continue
        # a smaller displacement is nearer the limit: it decides where the two disagree
        if best is None or _disagree(found, best) or found.error.max() < best.error.max():
            best = found
        elif np.max(2.0 * rounding(h) + rounding(2.0 * h)) >= _PAST * best.error.max():
            break
        else:
            best = replace(best, error=np.maximum(best.error, np.abs(found.value - best.value)))
    if not seen:
        raise ArithmeticError("no displacement from the optimum stays in the model's domain")
    value = np.nan_to_num(np.atleast_1d(seen[-1][0]))
    return best or Settled(value, np.full(value.shape, np.inf), length)


def _disagree(found, best):
    return bool((np.abs(found.value - best.value) > found.error + best.error).any())


def _still_bends(three, noise):
    """Return whether a response is not yet that of the linear map, by more than rounding."""
    (first, _), (coarse, _), (fine, _) = three
    if not np.isfinite([first, coarse, fine]).all():
        return False
    before, change = coarse - first, fine - coarse
    return bool(_bent(before, change) and np.abs(change).max() > noise)


def _bent(before, change):
    """Return whether an error of second order has not fallen to a quarter, with its sign."""
    return np.abs(4.0 * change - before).max() > _BENT * np.abs(before).max()


def _asymmetry(answer):
    value, odd = answer if isinstance(answer, tuple) else (answer, None)
    return np.atleast_1d(value), odd


def _extrapolated(three, of_fine, of_coarse, h):
    (first, _), (coarse, odd_coarse), (fine, odd_fine) = three
    if not np.isfinite([first, coarse, fine]).all():
        return None
    before, change = coarse - first, fine - coarse
    noise = np.max(of_fine + of_coarse)
    bent = _bent(before, change)
    silent = max(np.abs(change).max(), 0.25 * np.abs(before).max()) <= ENOUGH
    if bent and not silent and np.abs(change).max() > _SILENT * noise:
        return None
    # the extrapolated value itself changed by (4 change - before) / 3, and is in error by a part of that
    left = np.maximum(np.abs(4.0 * change - before) / 3.0, _AT_LEAST * np.abs(change))
    if bent:
        left = left + np.abs(before) + np.abs(change)
    # what a safeguard does on one side only does not become smaller with the displacement
    if odd_fine is not None and not (odd_fine <= 0.75 * odd_coarse or odd_fine <= 10.0 * noise):
        return None
    return Settled((4.0 * fine - coarse) / 3.0, left + 2.0 * of_fine + of_coarse, h)
