"""The density's own Hessian agrees with the models' informations, which it must not use."""

import numpy as np
import pytest

from emmd.theory.numeric.derivatives.hessian import density_hessian
from tests.generators.problems import draw


@pytest.mark.parametrize("seed", range(200, 224))
def test_the_hessian_of_the_density_is_louis(seed):
    drawn = draw(seed, most_rows=100)
    problem, theta = drawn.problem, drawn.theta0
    with np.errstate(over="ignore", invalid="ignore"):
        expected = problem.hessian(theta)
        curvature = np.abs(np.diag(problem.complete_hessian(theta)))
        # an expert without rows has a curvature that is no number to compare with
        scale = np.sqrt(np.maximum(curvature, 1e-20 * curvature.max()))
        error = np.abs(density_hessian(problem, theta) - expected) / np.outer(scale, scale)
    assert error.max() < 1e-5, drawn.says


def test_a_wrong_information_does_not_switch_its_own_test_off():
    """With I_mis halved every rate is wrong: the claims must say so, not find that they do not apply."""
    import emmd
    from emmd import theory

    class Halved(emmd.SymMoLinE):
        def informations(self, data, theta):
            complete, missing = super().informations(data, theta)
            return complete, 0.5 * missing

    model, truth = Halved(2), np.array([1.0, 0.5, 1.0, -0.5])
    X, y, _ = model.sample(truth, 400, 0)
    [record] = theory.verify(emmd.Problem(model, X, y), truth, ["L1"])
    assert record.verdict == "violated", record
