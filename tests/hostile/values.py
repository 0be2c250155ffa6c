"""Things that people pass by mistake, and legitimate arguments spoiled in one way."""

import contextlib
import datetime
import pathlib
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

import emmd
from tests.hostile.examples import CallbackError, linear, problem


def _raise(*arguments, **named):
    raise CallbackError


ANYTHING = [
    lambda: None,
    lambda: "",
    lambda: "a",
    lambda: "em",
    lambda: "0.5",
    lambda: b"em",
    lambda: True,
    lambda: False,
    lambda: np.bool_(True),
    lambda: 0,
    lambda: 1,
    lambda: 3,
    lambda: -1,
    lambda: 10**400,
    lambda: -(10**400),
    lambda: 10**5000,
    lambda: 2**63,
    lambda: 2**64,
    lambda: 2**40,
    lambda: np.uint64(2**64 - 1),
    lambda: np.uint64(3),
    lambda: np.uint8(2),
    lambda: np.int8(-128),
    lambda: np.float16(0.5),
    lambda: np.float16(65504.0),
    lambda: np.float32(1e-3),
    lambda: np.longdouble("1e4000"),
    lambda: 0.0,
    lambda: -0.0,
    lambda: 0.5,
    lambda: 1.0,
    lambda: 1.5,
    lambda: 1e308,
    lambda: -1e308,
    lambda: 1e-320,
    lambda: 1e-170,
    lambda: 1e170,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: -float("inf"),
    lambda: np.float64("nan"),
    lambda: 1 + 2j,
    lambda: complex(0.5),
    lambda: Fraction(1, 3),
    lambda: Fraction(10**400, 3),
    lambda: Fraction(1, 10**400),
    lambda: Decimal("0.5"),
    lambda: Decimal("NaN"),
    lambda: np.array(0.5),
    lambda: np.array(2),
    lambda: np.array("a"),
    lambda: np.array(None),
    lambda: np.array(float("nan")),
    lambda: np.array([]),
    lambda: np.zeros((0, 2)),
    lambda: np.zeros((2, 0)),
    lambda: np.zeros(3),
    lambda: np.ones((2, 2)),
    lambda: np.ones((2, 2, 2)),
    lambda: np.array([1.0, "a", None], dtype=object),
    lambda: np.ma.masked,
    lambda: np.ma.masked_less(np.array([1.0, -1.0]), 0.0),
    lambda: np.zeros(3, dtype=[("a", float)]),
    lambda: np.array(["2020-01-01"], dtype="datetime64[D]"),
    lambda: np.datetime64("NaT"),
    lambda: np.timedelta64(2, "s"),
    lambda: np.int64(2**62),
    lambda: bytearray(b"em"),
    lambda: memoryview(b"em"),
    lambda: pd.Series([1.0, 2.0]),
    lambda: pd.Index([1.0, 2.0]),
    lambda: datetime.date(2020, 1, 1),
    lambda: pd.Timestamp("2020-01-01"),
    lambda: pd.NA,
    lambda: pd.Series([1, None], dtype="Int64"),
    lambda: pd.Categorical(["a", "b"]),
    lambda: pd.DataFrame(np.ones((2, 2)), columns=["a", "a"]),
    lambda: pd.DataFrame(),
    lambda: csr_matrix(np.eye(2)),
    list,
    lambda: [[]],
    lambda: (),
    lambda: [None],
    lambda: ["a", "b"],
    lambda: [1.0, [2.0]],
    lambda: [1.0, 10**400],
    lambda: [0, 0],
    dict,
    lambda: {"a": 1},
    lambda: {"gate": None},
    lambda: {"coef": "a"},
    lambda: set(),
    lambda: {1.0, 2.0},
    lambda: range(3),
    lambda: (k for k in range(3)),
    lambda: lambda *arguments: None,
    lambda: _raise,
    lambda: print,
    lambda: object(),
    lambda: int,
    lambda: NotImplemented,
    lambda: ...,
    lambda: np.random.default_rng(0),
    lambda: np.random.RandomState(0),
    lambda: np.random.SeedSequence(0),
    lambda: np.random,
    lambda: pathlib.Path("nowhere"),
    lambda: "\0",
    lambda: emmd.SymMoLinE,
    lambda: emmd.Problem,
    linear,
    problem,
    lambda: emmd.MixtureOfExpertsRegressor(),
    lambda: emmd.MixtureOfExpertsRegressor,
    lambda: emmd.make_algorithm("squarem"),
    lambda: emmd.Status.CONVERGED,
    lambda: ValueError("a value"),
]
"""Makers of what stands in for any argument."""


def _with_entry(entry):
    def spoil(value):
        array = np.array(value, dtype=float if isinstance(entry, float) else object)
        array.flat[array.size // 2] = entry
        return array

    return spoil


def _frame(value, columns=None):
    array = np.atleast_2d(np.asarray(value))
    return pd.DataFrame(array if np.ndim(value) == 2 else array.T, columns=columns)


def _nullable(value):
    return _frame(_with_entry(float("nan"))(value)).astype("Float64")


def _probabilities(value):
    return np.abs(np.asarray(value, float)) / 3.0


SPOILED = [
    _with_entry(float("nan")),
    _with_entry(float("inf")),
    _with_entry(1e308),
    _with_entry(1e-320),
    _with_entry(1e170),
    _with_entry(None),
    _with_entry("a"),
    _with_entry(pd.NA),
    _with_entry(Fraction(1, 3)),
    _with_entry(10**400),
    lambda value: np.ma.masked_less(value, np.median(value)),
    lambda value: np.asarray(value)[:-1],
    lambda value: np.asarray(value)[:0],
    lambda value: np.asarray(value)[None],
    lambda value: np.asarray(value)[..., None],
    lambda value: np.asarray(value).ravel(),
    lambda value: np.asarray(value).astype(str),
    lambda value: np.asarray(value) + 1j,
    lambda value: np.asarray(value).astype(object),
    lambda value: np.asarray(value, np.float16),
    lambda value: np.asarray(value, np.float32),
    lambda value: np.abs(np.asarray(value)).astype(np.uint64),
    lambda value: np.abs(np.asarray(value)).astype("datetime64[s]"),
    lambda value: np.abs(np.asarray(value)).astype("timedelta64[s]"),
    lambda value: np.asarray(value) > 0,
    lambda value: np.asarray(value).T,
    lambda value: np.asarray(value).tolist(),
    lambda value: -np.asarray(value, float),
    lambda value: 1e308 * np.asarray(value, float),
    lambda value: 1e160 * np.asarray(value, float),
    lambda value: 1e-170 * np.asarray(value, float),
    lambda value: 1e-320 * np.asarray(value, float),
    lambda value: 1e30 * np.asarray(value, float),
    lambda value: 0.0 * np.asarray(value, float),
    lambda value: np.ones_like(np.asarray(value, float)),
    _probabilities,
    _nullable,
    lambda value: _frame(value, ["a"] * _frame(value).shape[1]),
    lambda value: _frame(value).astype(str).astype("category"),
    lambda value: _frame(value).apply(pd.to_datetime),
    lambda value: _frame(value)[0],
    lambda value: csr_matrix(np.atleast_2d(np.asarray(value))),
    lambda value: iter(np.asarray(value).tolist()),
    lambda value: dict(enumerate(np.asarray(value).tolist())),
]
"""What may happen to an array."""

DISGUISED = [
    lambda value: np.uint64(abs(int(value))),
    lambda value: np.int8(value),
    lambda value: np.float16(value),
    lambda value: np.float32(value),
    lambda value: Fraction(value),
    lambda value: Decimal(value),
    lambda value: np.array(value),
    lambda value: np.array([value]),
    lambda value: str(value),
    lambda value: complex(value),
    lambda value: -value,
    lambda value: value * 1e200,
    lambda value: value * 1e-200,
    lambda value: value * 1e-310,
]
"""What may happen to a number."""


def hostile(rng, valid):
    """Draw something in place of a legitimate argument."""
    makers = []
    if isinstance(valid, np.ndarray):
        makers = SPOILED
    elif isinstance(valid, int | float) and not isinstance(valid, bool):
        makers = DISGUISED
    if makers and rng.random() < 0.6:
        make = makers[rng.integers(len(makers))]
        # not everything can happen to every array, and what overflows is meant to
        with warnings.catch_warnings(), contextlib.suppress(ValueError, TypeError, OverflowError, IndexError):
            warnings.simplefilter("ignore")
            return make(valid)
    return ANYTHING[rng.integers(len(ANYTHING))]()
