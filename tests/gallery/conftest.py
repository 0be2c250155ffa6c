"""A problem and a lab with its optimum for each model of the gallery, once for all tests."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.experiments.cases.gallery import keep_compiled


@dataclass
class Solved:
    name: str
    problem: emmd.Problem
    theta0: np.ndarray
    lab: theory.Lab


@pytest.fixture(scope="session")
def solve():
    """A function of a model's name."""
    keep_compiled()

    @cache
    def solved(name):
        problem, theta0 = emmd.gallery.load(name)
        return Solved(name, problem, theta0, theory.Lab(problem, theta0))

    return solved


@pytest.fixture(scope="session", params=emmd.gallery.names())
def solved(request, solve):
    return solve(request.param)
