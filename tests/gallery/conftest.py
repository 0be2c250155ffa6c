"""A problem and its optimum for each model of the gallery, once for all tests."""

from dataclasses import dataclass

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


@pytest.fixture(scope="session", params=emmd.gallery.names())
def solved(request):
    keep_compiled()
    problem, theta0 = emmd.gallery.load(request.param)
    return Solved(request.param, problem, theta0, theory.Lab(problem, theta0))
