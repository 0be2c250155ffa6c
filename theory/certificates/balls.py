"""Ball arithmetic: every number is a midpoint with a radius, and every result contains the true one.

The balls are python-flint's `arb`. A comparison of balls is true only when it is true of all their points, so
an inequality that holds here is proved, up to the correctness of that library.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from importlib import import_module
from typing import Any

flint: Any = None
# the extra is optional: without it `require_balls` says so
with suppress(ImportError):
    flint = import_module("flint")

BITS = 128
"""Of the midpoints: products of two floats are exact, and a difference may lose half of them."""


class NotProved(ArithmeticError):
    """An inequality of a proof could not be shown; the sentence gives both of its sides."""


def require_balls() -> None:
    """Raise a ValueError that names the extra where python-flint is missing."""
    if flint is None:
        raise ValueError("certificates need python-flint: pip install 'emmd[certify]'")


@contextmanager
def precision(bits: int = BITS) -> Iterator[None]:
    """Work with midpoints of so many bits, and leave flint's own setting as it was."""
    require_balls()
    with flint.ctx.workprec(bits):
        yield


def ball(value: Any) -> Any:
    """Return a float as the exact ball."""
    return flint.arb(float(value))


def balls(values: Any) -> list:
    """Return floats as exact balls."""
    arb = flint.arb
    return [arb(value) for value in map(float, values)]


def matrix(rows: Any) -> Any:
    """Return a list of rows of balls or floats as a matrix of balls."""
    return flint.arb_mat([list(row) for row in rows])


def exact_matrix(array: Any) -> Any:
    """Return an array of floats as the exact matrix of balls."""
    return flint.arb_mat(*array.shape, array.ravel().tolist())


def around(middle: Any, radius: Any) -> Any:
    """Return the ball that holds all points within a radius of a ball."""
    return middle + flint.arb(0, radius.upper())


def above(value: Any) -> float:
    """Return a float that is no smaller than any point of a ball."""
    top = value.upper()
    rounded = float(top)
    while not flint.arb(rounded) >= top and not math.isinf(rounded) and not math.isnan(rounded):
        rounded = math.nextafter(rounded, math.inf)
    return rounded


def below(value: Any) -> float:
    """Return a float that is no larger than any point of a ball."""
    return -above(-value)


def rounded(value: float, digits: int, up: bool) -> str:
    """Return a decimal of so many digits that is no smaller than a float, or no larger."""
    side = ROUND_CEILING if up else ROUND_FLOOR
    return f"{Context(prec=digits, rounding=side).create_decimal(value):g}"


def root(value: Any) -> Any:
    """Return the square root of a number that is not negative, though its ball may reach below 0."""
    return value.nonnegative_part().sqrt()


def norm(vector: Any) -> Any:
    """Return the Euclidean norm of a list of balls."""
    return root(sum((each * each for each in vector), flint.arb(0)))


def symmetric_norm(square: Any) -> Any:
    """Return a bound of the spectral norm of a symmetric matrix: its largest absolute row sum."""
    sums = [sum((abs(each) for each in row), flint.arb(0)) for row in square.tolist()]
    largest = sums[0].upper()
    for each in sums[1:]:
        largest = largest.max(each.upper())
    return largest


def identity(size: int, value: Any = 1) -> Any:
    """Return a multiple of the identity."""
    return matrix([[value if i == j else 0 for j in range(size)] for i in range(size)])


def congruent(square: Any, frame: Any) -> Any:
    """Return frame' square frame."""
    return frame.transpose() * square * frame


def smallest_pivot(square: Any) -> Any:
    """Return the smallest pivot of the LDL' factorisation of a symmetric matrix of balls.

    All pivots are positive exactly when the matrix is positive definite. The factorisation ends at the first
    pivot that is not certainly positive, and returns it.
    """
    rows = square.tolist()
    smallest = None
    for k in range(len(rows)):
        pivot = rows[k][k]
        if not pivot > 0:
            return pivot
        smallest = pivot if smallest is None or pivot < smallest else smallest
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / pivot
            for j in range(k + 1, i + 1):
                rows[i][j] -= factor * rows[j][k]
    return smallest


def require_positive(square: Any, what: str) -> None:
    """Raise `NotProved` unless a symmetric matrix of balls is certainly positive definite."""
    pivot = smallest_pivot(square)
    if not pivot > 0:
        raise NotProved(f"{what} fails: a pivot of the LDL' factorisation is {shown(pivot)}, not above 0")


def require_below(left: Any, right: Any, what: str) -> None:
    """Raise `NotProved` unless every point of the left ball is below every point of the right one."""
    if not left < right:
        raise NotProved(f"{what} fails: {shown(left)} is not below {shown(right)}")


def shown(value: Any) -> str:
    """Return a ball as text of a few digits."""
    middle, radius = float(value.mid()), float(value.rad())
    return f"{middle:.4g}" if radius < 1e-4 * abs(middle) else f"{middle:.4g} +/- {radius:.1g}"
