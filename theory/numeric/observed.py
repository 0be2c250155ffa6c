"""The linear rate of convergence seen in one path, from the iterates alone.

Near its limit a path obeys Delta_{t+1} = J Delta_t, Delta_t = theta_{t+1} - theta_t, J the Jacobian of the
algorithm's map. A dynamic mode decomposition of a window of differences gives the eigenvalues of J that the
path excites, and a bound on the error of each from what the linear law leaves unexplained. No window is right
for every path: an early one is bent by curvature, a late one is rough with rounding, a short one does not
resolve close eigenvalues. So many are tried; the one with the smallest bound gives the value, and the others
test it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eig

__all__ = ["ObservedRate", "observed_rate"]

_DECADES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Windows begin where the differences are this many decades above the last one used."""

_CUTS = (1.0, 1e2, 1e4)
"""Windows end before the differences come this close to the smallest one: rounding may have bent the tail."""

_COLUMNS = 30
"""Longer windows are strided: the k-th power of J separates eigenvalues near 1 better than J itself."""

_DELAYS = (1, 3)
_RANKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14)


@dataclass(frozen=True)
class ObservedRate:
    """A contraction factor read off a path.

    Attributes
    ----------
    value : float
        Asymptotic ratio of ``||theta_{t+1} - theta*||`` to ``||theta_t - theta*||``.
    error : float
        Bound on its distance to the spectral radius of the Jacobian of the algorithm's map at the limit.
    n_used : int
        Iterates in the window that gave the value.
    stride : int
        Iterations between the iterates used there.
    rank : int
        Number of eigenvalues fitted there.
    """

    value: float
    error: float
    n_used: int
    stride: int
    rank: int


@dataclass(frozen=True)
class _Fit:
    value: float
    bound: float
    misfit: float
    begin: int
    end: int
    stride: int
    rank: int


def fits(path):
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    return [
        fit
        for begin, end in _windows(steps)
        for delays in _DELAYS
        for fit in _window_fits(path, begin, end, delays)
    ]


def _windows(steps):
    """Pairs (begin, end) of iterates; both ends follow the decay of the steps, whatever its speed."""
    ends = {int(np.flatnonzero(steps >= cut * steps.min())[-1]) + 1 for cut in _CUTS}
    windows = set()
    for end in ends:
        for decades in _DECADES:
            above = np.flatnonzero(steps[:end] > steps[end - 1] * 10.0**decades)
            windows.add((int(above[-1]) + 1 if above.size else 0, end))
    return sorted(windows)


def _window_fits(path, begin, end, delays):
    stride = max(1, (end - begin) // _COLUMNS)
    differences = np.diff(path[begin : end + 1][::-1][::stride][::-1], axis=0)
    columns = len(differences) - delays
    if columns < 2:
        return
    stacked = np.hstack([differences[j : j + columns + 1] for j in range(delays)]).T
    size = np.linalg.norm(stacked[:, :-1], axis=0)
    before, after = stacked[:, :-1] / size, stacked[:, 1:] / size
    left, singular, right = np.linalg.svd(before, full_matrices=False)
    supported = np.count_nonzero(singular > 1e-13 * singular[0])
    for rank in _RANKS:
        if rank > min(supported, columns - 1):
            return
        radius, bound, misfit = _radius(after, left[:, :rank], singular[:rank], right[:rank].T)
        value = radius ** (1.0 / stride)
        if not (np.isfinite(bound) and radius > 0):
            continue
        yield _Fit(value, bound * value / (stride * radius), misfit, begin, end, stride, rank)


def _radius(after, left, singular, right):
    inverse = right / singular
    matrix = left.T @ after @ inverse
    residual = np.linalg.norm(after - left @ (matrix @ (singular[:, None] * right.T)), axis=0)
    residual *= np.sqrt(len(right) / (len(right) - len(singular)))
    factors, dual, modes = eig(matrix, left=True, right=True)
    weights = np.linalg.norm(np.abs(inverse @ modes) * residual[:, None], axis=0)
    with np.errstate(divide="ignore"):
        bounds = weights / np.abs(np.sum(dual.conj() * modes, axis=0))
    modulus = np.abs(factors)
    real = bounds < 0.5 * modulus
    chosen = np.argmax(np.where(real, modulus, -bounds))
    return modulus[chosen], bounds[chosen], residual[-1]
