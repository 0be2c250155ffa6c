"""An E-step that is wrong for one row is violated there: the worst row is the one that is shown."""

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.core.protocols.steps import EStep

ROW = 37


class OneWrongRow(emmd.SymMoLinE):
    """Its responsibility for one row is off by a thousandth."""

    def e_step(self, data, theta):
        step = super().e_step(data, theta)
        responsibilities = step.responsibilities.copy()
        responsibilities[ROW] *= 1.0 - 1e-3
        return EStep(step.loss, responsibilities)


@pytest.fixture(scope="module")
def record():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 2))
    model = OneWrongRow(2, sigma=0.7)
    theta = np.array([1.0, -0.5, 0.4, 0.8])
    problem = emmd.Problem(model, X, model.sample_y(theta, X, 1))
    [found] = theory.verify(problem, theta, ["E2-dual-step"])
    return found


def test_it_is_violated_and_the_row_is_named(record):
    assert record.verdict == "violated"
    assert record.where["row"] == ROW
