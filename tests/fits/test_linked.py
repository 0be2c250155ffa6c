"""Families with a link or a dispersion need no M-step of their own: the general one against special ones."""

import numpy as np
import pytest

import emmd
from emmd.core.protocols.family import Family
from emmd.models.experts.gamma import Gamma
from emmd.models.experts.gaussian import Gaussian
from emmd.models.experts.poisson import Poisson
from tests.models.mixture.test_model import mixture


class PlainGamma(Gamma):
    """Gamma without its own M-step."""

    name = "plain gamma"
    fit = Family.fit


class PlainGaussian(Gaussian):
    """Gaussian likewise, and by its class without fused kernels."""

    name = "plain gaussian"
    fit = Family.fit


class PlainPoisson(Poisson):
    """Poisson through the general M-step: its link is the identity, but it does not say so."""

    name = "plain poisson"

    def natural(self, xi):
        return 1.0 * xi


PLAIN = {
    "gamma": PlainGamma(),
    "free": PlainGaussian("free"),
    "known": PlainGaussian(0.25),
    "poisson": PlainPoisson(),
}


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("name", PLAIN)
def test_the_general_m_step_is_the_special_one(name, ridge):
    given, theta = mixture(name, 2)
    options = {"expert_ridge": ridge}
    special = emmd.MixtureOfExperts(2, 2, given.model.family, **options)
    general = emmd.MixtureOfExperts(2, 2, PLAIN[name], **options)
    one, other = (emmd.Problem(model, given.X, given.y, given.weights) for model in (special, general))
    r = one.responsibilities(theta + 0.2)
    start = theta + 0.1
    expected, found = one.m_step(r, start), other.m_step(r, start)
    assert found.solved, found.residual
    np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-9, atol=1e-10)
    assert other.surrogate(r, found.theta) <= one.surrogate(r, expected.theta) + 1e-14


def test_a_shared_dispersion_must_be_written():
    given, theta = mixture("shared", 2)
    model = emmd.MixtureOfExperts(2, 2, PlainGaussian("shared"))
    with pytest.raises(TypeError, match="plain gaussian must write fit itself"):
        emmd.Problem(model, given.X, given.y).em_step(theta)


def test_an_exact_fit_is_named_in_the_general_m_step_too():
    x = np.arange(12.0)
    X = np.column_stack([x / 12.0, np.ones(12)])
    model = emmd.MixtureOfExperts(2, 2, PlainGaussian("free"))
    start = model.pack([[1.0, 0.1], [-3.0, 5.2]], [[-2.0, 1.0]], [-1.0, -1.0])
    run = emmd.minimize(emmd.Problem(model, X, 3.0 * X[:, 0] - 1.0), start, max_iter=200)
    assert not run.success
    assert np.isfinite(run.x).all()
