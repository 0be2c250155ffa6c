"""Whatever holds a number counts as that number, and a seed is a seed, at every door that takes one."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

import emmd
from emmd import theory
from emmd.core.checks import describe, positive_integer, random_generator, real_number
from tests.hostile import examples as ex
from tests.hostile.judge import judge
from tests.hostile.test_hostile import doors

GUISES = {
    "Fraction": Fraction,
    "0-d": np.array,
    "uint64": lambda value: np.uint64(value) if isinstance(value, int) and value >= 0 else np.float64(value),
    "int32": lambda value: np.int32(value) if isinstance(value, int) else np.longdouble(value),
}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# seconds of a run, and objects that are equal to nothing but themselves
LEFT_OUT = ("seconds", "problem", "algorithm", "trace")


def numbers_of(door):
    """Return the names of a door's arguments that are numbers."""
    return [k for k, v in door.valid().items() if isinstance(v, int | float) and not isinstance(v, bool)]


def same(one, two):
    """Return whether two answers agree to the last bit."""
    if isinstance(one, np.ndarray | np.generic):
        return np.array_equal(one, two)
    if isinstance(one, dict):
        return all(same(value, two[key]) for key, value in one.items() if key not in LEFT_OUT)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if dataclasses.is_dataclass(one) or type(one).__name__ in ("SymMoLinE", "SymMoLogE", "MixtureOfExperts"):
        return same(vars(one), vars(two)) if hasattr(one, "__dict__") else True
    return one == two if isinstance(one, int | float | str) else type(one) is type(two)


@pytest.mark.parametrize("guise", GUISES)
@pytest.mark.parametrize("door", [d for d in doors() if numbers_of(d)], ids=lambda door: door.name)
def test_a_number_in_disguise_is_that_number(door, guise, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = door.call(**door.valid())
    for name in numbers_of(door):
        if guise == "Fraction" and isinstance(door.valid()[name], int):
            # a count is an integer, not a quotient
            continue
        arguments = {**door.valid(), name: GUISES[guise](door.valid()[name])}
        assert same(expected, door.call(**arguments)), name


def test_an_unsigned_window_does_not_wrap_around():
    runs = [emmd.minimize(ex.problem(), ex.THETA, method="anderson", window=w) for w in (3, np.uint64(3))]
    np.testing.assert_array_equal(runs[0].trace.loss, runs[1].trace.loss)


@pytest.mark.parametrize("value", [10**400, Fraction(10**400, 3), np.longdouble("1e4000"), float("inf")])
def test_a_number_beyond_the_largest_is_refused(value):
    with pytest.raises(ValueError, match="x must be finite, got "):
        real_number("x", value)


@pytest.mark.parametrize("value", [10**400, np.uint64(2**64 - 1), 2**63])
def test_a_count_beyond_counting_is_refused(value):
    with pytest.raises(ValueError, match="x must be at most 9007199254740992, got "):
        positive_integer("x", value)


def test_what_cannot_be_printed_is_named_by_its_type():
    assert describe(10**5000) == "an object that cannot be printed (int)"


@pytest.mark.parametrize(
    "seed", [3, np.uint64(3), np.array(3), [3, 4], np.random.SeedSequence(3), 2**70, None]
)
def test_a_seed_makes_a_generator(seed):
    assert isinstance(random_generator("seed", seed), np.random.Generator)


def test_a_generator_is_taken_as_it_is():
    rng = np.random.default_rng(0)
    assert random_generator("seed", rng) is rng
    fits = [
        emmd.MixtureOfExpertsRegressor(
            n_init=1, max_iter=200, tol=1e-4, random_state=np.random.default_rng(5)
        )
        for _ in range(2)
    ]
    first, second = (fit.fit(ex.X, ex.Y).coef_ for fit in fits)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, [-1], np.timedelta64(1, "s"), {}, np.array(1.5)])
def test_what_is_no_seed_is_named(seed):
    with pytest.raises((ValueError, TypeError), match=r"^seed must be .* got "):
        ex.linear().sample(ex.THETA, 3, seed)


@pytest.mark.parametrize("p", [np.full((24, 2), 0.4), np.tile([0.7, 0.3001], (24, 1)), 1.0 + 0 * ex.PK])
def test_responsibilities_that_do_not_sum_to_one_are_refused(p):
    problem, theta = ex.problem("gaussian"), ex.point("gaussian")
    for call in (lambda: problem.m_step(p, theta), lambda: problem.surrogate(p, theta)):
        with pytest.raises(ValueError, match=r"^responsibilities must have rows that sum to 1, got"):
            call()


def test_responsibilities_in_single_precision_are_probabilities():
    problem, theta = ex.problem("gaussian"), ex.point("gaussian")
    assert problem.m_step(ex.PK.astype(np.float32), theta).solved


def test_claims_are_listed_every_time():
    assert theory.claims() == theory.claims()
    assert len(theory.claims()) > 10


def test_the_judge_sees_each_kind_of_fault():
    def refuse(message):
        raise ValueError(message)

    seen = {
        "unnamed": lambda: refuse("bad input"),
        "lines": lambda: refuse("x must be\ngood"),
        "exception": lambda: {}["x"],
        "not finite": lambda: {"a": [1.0, (np.array([np.nan]),)]},
        "warning": lambda: np.float64(1e308) * 10.0,
    }
    for kind, call in seen.items():
        assert kind in {found for found, _ in judge(call, ["x"])}
    assert judge(lambda: refuse("x must be good, got bad"), ["x"]) == []
