"""A user's bound in ball arithmetic: its value contains those at all points of a box."""

from collections.abc import Callable
from functools import cache
from typing import Any

from emmd.core.checks import describe
from emmd.theory.certificates.balls import above, below, flint, root, shown
from emmd.theory.certificates.population.spectrum import LARGEST_SNR
from emmd.theory.certificates.population.trapezoid import logistic_moments
from emmd.theory.population.bounds.expression import NAMES, Arithmetic, parse

_OF_SYMPY = {"Abs": "abs", "Max": "max", "Min": "min"}

_ROUNDING = 2.0**-26
"""How far below 0 a ball may reach by rounding alone, next to 1: its radius has 30 bits."""

_NATS = 30.0


class BallExpression:
    """A bound in snr_e, snr_g, cosine and d.

    Parameters
    ----------
    expression : str or sympy expression or callable
        Text is parsed, never executed, and its decimals are floats. A callable is called once, with four
        sympy symbols: it must return a formula.

    Attributes
    ----------
    text : str

    Raises
    ------
    ValueError
        For a function that has no ball version; it is named.
    TypeError
        For an expression of another type.
    """

    def __init__(self, expression: Any) -> None:
        if callable(expression) and not hasattr(expression, "free_symbols"):
            expression = _followed(expression)
        self.text = str(expression)
        self._function = _function(expression)

    def __call__(self, snr_e: Any, snr_g: Any, cosine: Any, d: Any) -> Any:
        """Return the ball of values; it is not finite where there may be none."""
        return self._function(snr_e, snr_g, cosine, d)


def _followed(function: Callable) -> Any:
    """Return the formula of a user's function: floats of its own would drop the radius of a ball unseen."""
    import sympy as sp

    try:
        return sp.sympify(function(*sp.symbols(NAMES, real=True)))
    except Exception as error:
        # a user's function may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(
            f"expression must have values in ball arithmetic, so a callable must make a formula of four "
            f"sympy symbols; got {describe(function)}: {reason}"
        ) from error


def _function(expression: Any) -> Callable:
    if isinstance(expression, str):
        return parse(expression, _balls())
    if hasattr(expression, "free_symbols"):
        return parse(_sympy_text(expression), _balls())
    raise TypeError(f"expression must be text, a sympy expression or a callable, got {describe(expression)}")


def _sympy_text(expression):
    import sympy as sp

    # sympy prints fifteen digits of a float; its fraction is exact
    text = str(expression.xreplace({each: sp.Rational(each) for each in expression.atoms(sp.Float)}))
    for theirs, ours in _OF_SYMPY.items():
        text = text.replace(f"{theirs}(", f"{ours}(")
    return text


def _balls():
    """Return the arithmetic of balls."""
    functions: dict[str, Any] = {
        name: lambda x, name=name: getattr(x, name)()
        for name in ("exp", "log", "tanh", "cosh", "sinh", "sech")
    }
    functions |= {
        "abs": abs,
        # not real where x is certainly below 0 somewhere, beyond the rounding of 1 - cosine^2
        "sqrt": lambda x: root(x) if x > -_ROUNDING else x.sqrt(),
        "min": lambda x, y: x.min(y),
        "max": lambda x, y: x.max(y),
        "gate_moment": gate_moment,
    }
    return Arithmetic(flint.arb, flint.arb.pi, functions)


def gate_moment(r: Any) -> Any:
    """Return k(r) = min(E sech^2(r g/2), E g^2 sech^2(r g/2)), g ~ N(0, 1), for a ball; it falls with |r|."""
    r = abs(r)
    if not r.is_finite():
        return r
    if not r <= 2 * LARGEST_SNR:
        raise ValueError(f"gate_moment must be taken at most at {2 * LARGEST_SNR:g}, got {shown(r)}")
    low, high = max(below(r), 0.0), above(r)
    return _moment(high) if low == high else _moment(low).union(_moment(high))


@cache
def _moment(r):
    square, plain = logistic_moments(r, _NATS)
    return 4 * square.min(plain)
