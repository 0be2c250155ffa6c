"""Directions in which nothing changes are found, and claims are about the rest."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import emmd
from emmd import theory

RNG = np.random.default_rng(0)
COUNTS = np.where(RNG.random(300) < 0.4, RNG.poisson(2.0, 300), RNG.poisson(7.0, 300)).astype(float)


def natural_parameters(logits, log_rates):
    return jnp.concatenate([log_rates, jax.nn.log_softmax(logits) - jnp.exp(log_rates)])


def log_partition(eta):
    log_rates, weights = eta.reshape(2, -1)
    return jax.nn.logsumexp(weights + jnp.exp(log_rates))


def log_numerator(eta, y):
    log_rates, weights = eta.reshape(2, -1)
    return jax.nn.logsumexp(weights + log_rates * y) - jax.scipy.special.gammaln(y + 1.0)


def poisson_mixture(n_params, parts, y=COUNTS, **options):
    """Poisson components; `parts` takes theta to logits and log rates."""
    functions = (lambda theta, x: natural_parameters(*parts(theta)), log_partition, log_numerator)
    return emmd.Problem(emmd.LatentModel(n_params, *functions, **options), None, y)


@pytest.fixture(scope="module")
def redundant():
    """Logits of both weights, and a rate that is a sum of two parameters: two directions change nothing."""
    return poisson_mixture(5, lambda theta: (theta[:2], jnp.stack([theta[2] + 100.0 * theta[3], theta[4]])))


@pytest.fixture(scope="module")
def plain():
    return poisson_mixture(3, lambda theta: (jnp.stack([theta[0], 0.0 * theta[0]]), theta[1:]))


def test_claims_hold_on_the_quotient_and_say_how_many(redundant):
    records = theory.verify(redundant, [0.0, 0.0, 0.3, 0.003, 1.8], ["C1", "E3", "L1", "L2", "L3", "R3"])
    for record in records:
        assert (record.verdict, record.gauge) == ("holds", 2), (record.claim, record.reason)
        fared = [each.verdict for each in record.sabotages]
        # the set is as good as linear at the optimum: there both metrics agree
        assert fared.count("violated") >= len(fared) - (record.claim == "L2-mirror-descent-rate")


def test_rates_are_those_of_the_model_without_redundance(redundant, plain):
    end = emmd.minimize(redundant, [0.0, 0.0, 0.3, 0.003, 1.8], tol=1e-12)
    same = emmd.minimize(plain, [0.0, 0.6, 1.8], tol=1e-12)
    assert end.success
    assert end.fun == pytest.approx(same.fun, rel=1e-13)
    # nothing moves along a redundant direction
    assert end.x[:2].sum() == pytest.approx(0.0, abs=1e-12)
    values = theory.missing_information(redundant, end.x).eigenvalues
    np.testing.assert_allclose(values, theory.missing_information(plain, same.x).eigenvalues, atol=1e-8)
    assert theory.contraction(redundant, end.x).value == pytest.approx(values[-1], abs=1e-7)
    assert len(values) == 3


def log_shares(statistics, X, weights):
    """The closed M-step of three components: logits are log shares, so that they move along their sum."""
    counts, shares = (weights @ statistics).reshape(2, -1)
    return np.concatenate([np.log(shares), np.log(counts / shares)])


@pytest.mark.parametrize("m_step", [None, log_shares])
def test_accelerations_are_as_predicted_or_say_that_steps_leave_the_quotient(m_step):
    # the weights differ, and so do the units of their logits
    y = np.concatenate([COUNTS, np.random.default_rng(1).poisson(25.0, 60)])
    problem = poisson_mixture(6, lambda theta: (theta[:3], theta[3:]), y, m_step=m_step)
    for record in theory.verify(
        problem, [0.0, 0.5, -1.0, 0.6, 2.0, 3.2], ["L6-squarem-factor", "L6-anderson-gmres"]
    ):
        assert record.gauge == 1
        assert record.verdict == ("holds" if m_step is None else "not applicable"), record
        assert ("a part along directions" in record.reason) == (m_step is not None)


def factors(theta, x):
    """Two factors of four columns: S = (y z', |y|^2, z z')."""
    W, precision = theta[:8].reshape(4, 2), jnp.exp(-2.0 * theta[8])
    inner = -0.5 * (jnp.eye(2) + precision * W.T @ W)
    return jnp.concatenate([(precision * W).ravel(), jnp.array([-0.5 * precision]), inner.ravel()])


def factor_parts(eta):
    inner = eta[9:].reshape(2, 2)
    return eta[:8].reshape(4, 2), eta[8], -(inner + inner.T)


def factor_mass(eta):
    W, c, inner = factor_parts(eta)
    return -2.0 * jnp.log(-2.0 * c) - 0.5 * jnp.linalg.slogdet(inner + W.T @ W / (2.0 * c))[1]


def factor_part(eta, y):
    W, c, inner = factor_parts(eta)
    h = W.T @ y
    fitted = 0.5 * h @ jnp.linalg.solve(inner, h) - 0.5 * jnp.linalg.slogdet(inner)[1]
    return c * y @ y + fitted - 2.0 * jnp.log(2.0 * jnp.pi)


def test_a_rotation_that_changes_the_factors_but_not_the_loss_is_found():
    W = np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, -0.5]])
    y = RNG.standard_normal((200, 2)) @ W.T + 0.5 * RNG.standard_normal((200, 4))
    problem = emmd.Problem(emmd.LatentModel(9, factors, factor_mass, factor_part), None, y)
    start = np.array([*(W + 0.2).ravel(), -0.3])
    [record] = theory.verify(problem, start, ["L1"])
    assert (record.verdict, record.gauge) == ("holds", 1)
    assert problem.model.null_directions(problem.data, start).shape == (9, 0)
    # the direction is that of a rotation
    turned = np.array([*(W + 0.2) @ [[0.0, 1.0], [-1.0, 0.0]]]).ravel()
    [direction] = problem.model.gauge_directions(problem.data, start).T
    assert abs(direction[:8] @ turned) == pytest.approx(np.linalg.norm(turned), rel=1e-9)
