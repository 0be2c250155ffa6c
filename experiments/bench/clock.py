"""Timing contenders against each other: interleaved rounds, so that a slow moment hits all of them."""

import contextlib
import time
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from emmd.kernels.compile.threads import limit

_FEWEST = 3


@contextlib.contextmanager
def threads(count):
    """Let emmd's kernels use a number of threads, and BLAS one."""
    with limit(count), threadpool_limits(1):
        yield


def interleaved(contenders, seconds, most):
    """Call every contender once a round until the time is up.

    Parameters
    ----------
    contenders : dict of str to callable
        Each returns the seconds it wants to be counted.
    seconds : float
        Wall-clock time to spend, at least three rounds in any case (fewer if `most` says so).
    most : dict of str to int
        Rounds, at most, by contender; without an entry there is no limit.

    Returns
    -------
    dict of str to ndarray
        Seconds by contender and round.
    """
    taken: dict = {name: [] for name in contenders}
    began, rounds = time.perf_counter(), 0
    while rounds < _FEWEST or time.perf_counter() - began < seconds:
        for name, contender in contenders.items():
            if rounds < most.get(name, rounds + 1):
                taken[name].append(contender())
        rounds += 1
    return {name: np.array(values) for name, values in taken.items()}


@dataclass(frozen=True)
class Spread:
    """Median and quartiles.

    Attributes
    ----------
    median, low, high : float
    count : int
    """

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values):
        """Return the spread of some numbers."""
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
        return cls(float(median), float(low), float(high), len(values))

    @classmethod
    def of_ratio(cls, top, bottom):
        """Return the spread of ratios within rounds."""
        rounds = min(len(top), len(bottom))
        return cls.of(top[:rounds] / bottom[:rounds])


def wall(call, clock=time.perf_counter):
    """Return a function that calls another one and returns the seconds it took."""

    def timed():
        began = clock()
        call()
        return clock() - began

    return timed
