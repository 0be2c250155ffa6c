"""The EM map of generalised linear experts in one compiled call, against a fit for every part."""

import math
import pickle

import numba
import numpy as np
import pytest
from scipy.special import gammaln

import emmd
from emmd.core.protocols.model import MStep
from emmd.models.experts.poisson import Poisson
from emmd.models.mixture.fused.glm import FusedGLM
from emmd.models.mixture.fused.registry import fused_pass
from tests.generators.families import FAMILIES

SHARES = [[0, 3], [0, 1, 3], [0, 0, 3], [0, 1, 2, 3]]


def _problem(n, K, family, gate="softmax", **options):
    rng = np.random.default_rng([n, K])
    model = emmd.MixtureOfExperts(3, K, family=family, gate=gate, **options)
    theta = 0.5 * rng.standard_normal(model.n_params)
    X = np.column_stack([rng.standard_normal((n, 2)) * [1.5, 0.1], np.ones(n)])
    y = model.sample_y(theta, X, [n, K])
    return emmd.Problem(model, X, y, rng.uniform(0.5, 1.0, n)), theta + 0.2 * rng.standard_normal(len(theta))


def _by_parts(problem, theta):
    """Return the EM map by a fit for each part, as where there are no fused kernels."""
    model = emmd.MixtureOfExperts(3, problem.model.n_experts, problem.model.family, problem.model.gate)
    model.__dict__["fused"] = None
    return model.em_step(problem.data, theta)


@pytest.mark.parametrize(("family", "options"), FAMILIES)
@pytest.mark.parametrize(("gate", "K"), [("softmax", 2), ("softmax", 3), ("constant", 3)])
def test_one_call_is_a_fit_for_each_part(family, options, gate, K):
    problem, theta = _problem(700, K, family, gate, **options)
    assert isinstance(problem.model.fused, FusedGLM)
    loss, expected = _by_parts(problem, theta)
    for start in (None, theta + 0.05):
        found_loss, found = problem.model.em_step(problem.data, theta, start)
        assert found.solved
        assert found_loss == pytest.approx(loss, rel=1e-14)
        # both solve the same equations to 1e-13, relative to curvatures of about 1
        np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("counts", [1e2, 1e6])
def test_large_counts_are_solved_to_their_own_rounding(counts):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(400), np.ones(400)])
    y = rng.poisson(counts * np.exp(0.3 * X[:, 0] * rng.choice([-1.0, 1.0], 400))).astype(float)
    problem = emmd.Problem(emmd.MixtureOfExperts(2, 2, "poisson"), X, y)
    theta = np.array([0.2, math.log(counts), -0.2, math.log(counts), 0.0, 0.1])
    _, found = problem.model.em_step(problem.data, theta)
    assert found.solved
    model = emmd.MixtureOfExperts(2, 2, "poisson")
    model.__dict__["fused"] = None
    np.testing.assert_allclose(
        found.theta, model.em_step(problem.data, theta)[1].theta, rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize(("family", "options"), FAMILIES)
def test_shares_give_the_same_bits(family, options, monkeypatch):
    problem, theta = _problem(9_000, 3, family, **options)
    model, data = problem.model, problem.data
    alone = model.em_step(data, theta, theta + 0.01)
    for edges in SHARES[:1] if numba.config.DISABLE_JIT else SHARES:
        monkeypatch.setattr(
            "emmd.models.mixture.fused.glm.shares", lambda n_rows, edges=edges: np.array(edges)
        )
        shared = model.em_step(data, theta, theta + 0.01)
        assert shared[0] == alone[0]
        for field in MStep.__slots__:
            np.testing.assert_array_equal(getattr(shared[1], field), getattr(alone[1], field))


@numba.njit
def counts_loss(t, u):
    mean = math.exp(u)
    return mean - t * u, mean - t, mean


class Counts(Poisson):
    """The user's own way to write what is Poisson's."""

    name = "counts"
    scalar_loss = staticmethod(counts_loss)

    def log_base(self, y):
        return -gammaln(y + 1.0)


def test_a_users_compiled_loss_has_the_same_kernels():
    problem, theta = _problem(700, 2, Counts())
    assert isinstance(problem.model.fused, FusedGLM)
    expected = _by_parts(problem, theta)[1].theta
    np.testing.assert_allclose(problem.em_step(theta), expected, rtol=1e-11, atol=1e-11)


def test_a_loss_of_another_density_is_named():
    class Doubled(Counts):
        def log_partition(self, nu):
            return 2.0 * np.exp(nu[:, 0])

        scalar_loss = staticmethod(counts_loss)

    X, y = np.ones((8, 1)), np.arange(8.0)
    with pytest.raises(
        ValueError, match=r"scalar_loss of family counts must belong to its log density: at y = 0"
    ):
        emmd.Problem(emmd.MixtureOfExperts(1, 2, Doubled()), X, y)


def test_a_density_changed_by_a_subclass_has_no_kernels():
    class Doubled(Counts):
        def log_partition(self, nu):
            return 2.0 * np.exp(nu[:, 0])

    softmax = emmd.MixtureOfExperts(1, 2).gate
    assert fused_pass(Counts(), softmax, 2) is not None
    assert fused_pass(Doubled(), softmax, 2) is None


def test_a_problem_goes_to_another_process():
    problem, theta = _problem(300, 2, "poisson")
    expected = problem.em_step(theta)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(problem)).em_step(theta), expected)


def test_an_empty_expert_is_named_as_ever():
    problem, theta = _problem(300, 2, "poisson")
    theta[problem.model.index["coef"][0]] = [0.0, 0.0, 300.0]
    assert problem.model.em_step(problem.data, theta)[1].failure is emmd.Status.EMPTY_EXPERT
