"""What a user's functions compute with JAX is in double precision, also where they are called as they are."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.models.latent.censored import START, censored

SEEN = []


def remember(name, value):
    SEEN.append((name, jnp.asarray(value).dtype))
    return value


@pytest.fixture(scope="module")
def seen():
    problem = censored(
        m_step=lambda statistics, X, weights: remember("m_step", -jnp.log(weights @ statistics)),
        equivalents=lambda theta: remember("equivalents", jnp.asarray(theta)[None]),
        in_domain=lambda theta: bool(remember("in_domain", jnp.asarray(theta))[0] < 50.0),
        random_point=lambda rng: np.asarray(remember("random_point", jnp.asarray(rng.standard_normal(1)))),
    )
    problem.em_step(START)
    problem.distance(START, START)
    return dict(SEEN)


@pytest.mark.parametrize("function", ["m_step", "equivalents", "in_domain", "random_point"])
def test_it_is_double(seen, function):
    assert seen[function] == np.float64
