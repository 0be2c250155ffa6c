"""Seeded problems of both symmetric models, each with its oracle."""

from functools import cache
from typing import NamedTuple

import numpy as np

import emmd
from tests.generators.naive import Naive

NAMES = ("symmoline", "symmologe")


class Case(NamedTuple):
    """A problem, the oracle on the same data, and two parameters."""

    problem: emmd.Problem
    naive: Naive
    theta: np.ndarray
    other: np.ndarray


def model(name, d, sigma=1.0):
    """Return the model called `name`; sigma is for symmoline only."""
    return emmd.SymMoLinE(d, sigma=sigma) if name == "symmoline" else emmd.SymMoLogE(d)


def both(name, X, y, weights=None, sigma=1.0):
    """Return the problem and its oracle."""
    problem = emmd.Problem(model(name, X.shape[1], sigma), X, y, sample_weight=weights)
    return problem, Naive(name, X, y, weights, sigma if name == "symmoline" else 1.0)


@cache
def random_case(name, n, d, sigma=1.0, weighted=True, seed=0):
    """Return a case of signal-to-noise ratios near 1, not at an optimum; the arrays must not be changed."""
    rng = np.random.default_rng([seed, n, d, len(name)])
    theta, other = rng.normal(scale=1.0 / np.sqrt(d), size=(2, 2 * d))
    X = rng.standard_normal((n, d))
    y = model(name, d, sigma).sample_y(theta, X, [seed, n])
    weights = rng.uniform(0.1, 3.0, n) if weighted else None
    return Case(*both(name, X, y, weights, sigma), theta, other)


def assert_blocks_close(actual, expected, rtol):
    """Each of the expert's and the gate's blocks agrees relative to its own largest entry."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    difference, size = (_largest_by_block(np.abs(array)) for array in (actual - expected, expected))
    assert (difference <= rtol * size).all(), (difference, size)


def _largest_by_block(array):
    for axis in range(array.ndim):
        array = np.stack([half.max(axis) for half in np.array_split(array, 2, axis)], axis)
    return array
