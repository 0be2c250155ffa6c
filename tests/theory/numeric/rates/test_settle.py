"""Responses are followed to their limit, and what has none is not believed."""

import numpy as np
import pytest

from emmd.theory.numeric.rates.settle import settle

EXACT = np.array([0.7, -0.2])


@pytest.mark.parametrize("bend", [1.0, 30.0])
def test_an_even_error_is_extrapolated_within_its_bound(bend):
    found = settle(lambda h: EXACT + bend * h**2 - bend**2 * h**4, 0.3, lambda h: 1e-13 / h)
    assert (np.abs(found.value - EXACT) <= found.error).all()
    assert found.error.max() < 1e-6


def test_a_regime_that_looks_settled_is_left_for_the_true_limit():
    """A safeguard that acts above a length gives a law of its own; the limit is another one."""

    def response(h):
        return EXACT + h**2 if h < 0.02 else EXACT + 0.1 + 0.3 * h**2

    found = settle(response, 0.4, lambda h: 1e-12 / h)
    assert (np.abs(found.value - EXACT) <= found.error).all()
    assert found.length < 0.02


def test_what_jumps_at_every_length_does_not_settle():
    rng = np.random.default_rng(0)
    found = settle(lambda h: EXACT + 0.1 * rng.standard_normal(2), 0.4, lambda h: 1e-12 / h)
    assert np.isinf(found.error).all() or (np.abs(found.value - EXACT) <= found.error).all()


def test_one_sided_refusals_are_seen():
    """The response is smooth, and half of it is another map's: both signs differ at every length."""
    found = settle(lambda h: (EXACT + h**2, 0.3), 0.4, lambda h: 1e-12 / h)
    assert np.isinf(found.error).all()


def test_noise_is_within_its_bound():
    rng = np.random.default_rng(1)
    found = settle(lambda h: EXACT + 5e-3 * 1e-9 * rng.standard_normal(2) / h, 0.3, lambda h: 1e-9 / h)
    assert (np.abs(found.value - EXACT) <= found.error).all()
    assert found.error.max() < 1e-6


def steps(*changes):
    """Return a response that changes so from each length to its half, from 0.4 on; then it is refused."""
    values = EXACT[0] + np.concatenate([[0.0], np.cumsum(changes)])

    def response(h):
        k = round(np.log2(0.4 / h))
        return np.array([values[k] if k < len(values) else np.nan])

    return response, values[-1]


def test_only_rounding_ends_the_search():
    """By chance the first three lengths agree almost: the next one is less sure, and those after lead on."""
    response, limit = steps(2.4e-5, 6e-6, 3e-6, *(0.75e-6 * 0.25**k for k in range(9)))
    found = settle(response, 0.4, lambda h: 1e-13 / h)
    assert np.abs(found.value - limit) <= found.error < 1e-8


def test_the_error_of_a_limit_covers_what_smaller_lengths_say():
    """Another law, less sure, begins at the last length that is not refused."""
    response, last = steps(2.4e-5, 6e-6, 3e-6)
    found = settle(response, 0.4, lambda h: 1e-13 / h)
    assert np.abs(found.value - (last + 1e-6)) <= found.error


def test_what_looked_settled_is_dropped_where_smaller_lengths_never_settle():
    """Changes fall to a quarter once, then to a half each time, as at a kink."""
    response, limit = steps(0.8, 0.2, *(0.1 * 0.5**k for k in range(11)))
    found = settle(response, 0.4, lambda h: 1e-13 / h)
    assert np.abs(found.value - limit) <= found.error
