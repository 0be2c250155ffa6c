"""What a user's functions need is compiled once for each shape of its arguments, whatever their values."""

import logging
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

import emmd
from emmd import theory

N, FUNCTIONS = 48, 4
"""Rows, and functions derived from log_numerator: itself, with its gradient, and two derivatives."""


def _eta(theta, x):
    rates = theta[0] + theta[1] * x, theta[2] - theta[1] * x
    return jnp.stack([*rates, theta[3] - jnp.exp(rates[0]), -jnp.exp(rates[1])])


def _partition(eta):
    return jnp.logaddexp(eta[2] + jnp.exp(eta[0]), eta[3] + jnp.exp(eta[1]))


def _numerator(eta, y):
    return jnp.logaddexp(eta[2] + y * eta[0], eta[3] + y * eta[1]) - gammaln(y + 1.0)


def _problem(model, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(N)
    y = rng.poisson(np.where(rng.random(N) < 0.5, np.exp(1.8 + 0.2 * x), np.exp(0.2 - 0.2 * x)))
    return emmd.Problem(model, x, y.astype(float))


def _compiled(caplog, call):
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        call()
    said = (record.getMessage() for record in caplog.records)
    return Counter(each.split("Argument")[0] for each in said if each.startswith("Compiling"))


def test_no_shape_is_compiled_twice_and_few_shapes_are(caplog):
    model = emmd.LatentModel(4, _eta, _partition, _numerator, support="counts")
    start, claims = np.array([1.8, 0.2, 0.2, 0.0]), ["E0", "E1", "C1"]
    first, second = _problem(model, 1), _problem(model, 1)
    seen = _compiled(caplog, lambda: theory.verify(first, start, claims))
    assert seen
    assert max(seen.values()) <= FUNCTIONS, seen
    lengths = {each.split("float64[")[-1] for each in seen if "(_numerator)" in each}
    # the rows, the nodes of E0, and powers of two of them
    assert len(lengths) <= 5, lengths
    assert not _compiled(caplog, lambda: theory.verify(second, start + 0.1, claims))
