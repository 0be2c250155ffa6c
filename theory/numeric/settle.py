"""Responses to small displacements: shrink the displacement until the response is that of the linear map."""

from dataclasses import dataclass

import numpy as np

_HALVINGS = 14

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
        ``response(length)`` returns an array, or a pair: the array, and a number that tends to 0 like the
        length where both signs of the displacement are treated alike, or None.
    length : float
        The first displacement; it is halved until rounding takes over.
    rounding : callable
        ``rounding(length)`` bounds the rounding error of the response.

    Returns
    -------
    Settled
        Of the displacement with the least error, by Richardson's extrapolation of two. The change under a
        halving bounds the error of what is extrapolated from it: it is believed only where it has become
        smaller than half the change before, as for an analytic response it does.
    """
    seen, best = [], None
    for k in range(_HALVINGS):
        h = length * 0.5**k
        seen.append(_asymmetry(response(h)))
        if k < 2:
            continue
        found = _extrapolated(seen[-3:], rounding(h), rounding(2.0 * h), h)
        if found is None:
            continue
        # a smaller displacement is nearer the limit: it decides where the two disagree
        if best is None or _disagree(found, best) or found.error.max() < best.error.max():
            best = found
        elif found.error.max() >= _PAST * best.error.max():
            break
    value = np.atleast_1d(seen[-1][0])
    return best or Settled(value, np.full(value.shape, np.inf), length)


def _disagree(found, best):
    return bool((np.abs(found.value - best.value) > found.error + best.error).any())


def _asymmetry(answer):
    value, odd = answer if isinstance(answer, tuple) else (answer, None)
    return np.atleast_1d(value), odd


def _extrapolated(three, of_fine, of_coarse, h):
    (first, _), (coarse, odd_coarse), (fine, odd_fine) = three
    before, change = np.abs(coarse - first).max(), np.abs(fine - coarse)
    noise = np.max(of_fine + of_coarse)
    if not (change.max() <= 0.5 * before or change.max() <= noise):
        return None
    # what a safeguard does on one side only does not become smaller with the displacement
    if odd_fine is not None and not (odd_fine <= 0.75 * odd_coarse or odd_fine <= 10.0 * noise):
        return None
    return Settled((4.0 * fine - coarse) / 3.0, change + 2.0 * of_fine + of_coarse, h)
