"""A user's bound in ball arithmetic: its value contains those at all points of a box."""

from collections.abc import Callable
from typing import Any

from emmd.core.checks import describe
from emmd.theory.certificates.balls import flint, root
from emmd.theory.population.bounds.expression import Arithmetic, parse

_OF_SYMPY = {"Abs": "abs", "Max": "max", "Min": "min"}


class BallExpression:
    """A bound in snr_e, snr_g, cosine and d.

    Parameters
    ----------
    expression : str or sympy expression or callable
        Text is parsed, never executed, and its constants are floats. A callable takes four balls.

    Attributes
    ----------
    text : str

    Raises
    ------
    ValueError
        For text, or a sympy expression, with a function that has no ball version; it is named.
    TypeError
        For an expression of another type.
    """

    def __init__(self, expression: Any) -> None:
        self.text = str(expression)
        self._function = _function(expression)

    def __call__(self, snr_e: Any, snr_g: Any, cosine: Any, d: Any) -> Any:
        """Return the ball of values; a ValueError for what is no number there."""
        try:
            value = self._function(snr_e, snr_g, cosine, d)
            value = value if isinstance(value, flint.arb) else flint.arb(value)
        except Exception as error:
            # a user's function may raise anything
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ValueError(
                f"expression must have values in ball arithmetic, got {self.text}: {reason}"
            ) from error
        return value


def _function(expression: Any) -> Callable:
    if isinstance(expression, str):
        return parse(expression, _balls())
    if hasattr(expression, "free_symbols"):
        return parse(_sympy_text(expression), _balls())
    if callable(expression):
        return expression
    raise TypeError(f"expression must be text, a sympy expression or a callable, got {describe(expression)}")


def _sympy_text(expression):
    text = str(expression)
    for theirs, ours in _OF_SYMPY.items():
        text = text.replace(f"{theirs}(", f"{ours}(")
    return text


def _balls():
    """Return the arithmetic of balls; a root of a ball around 0 is that of its part that is not negative."""
    functions = {
        name: lambda x, name=name: getattr(x, name)()
        for name in ("exp", "log", "tanh", "cosh", "sinh", "sech")
    }
    functions |= {
        "abs": abs,
        "sqrt": lambda x: x.sqrt() if not x.contains(0) else root(x),
        "min": lambda x, y: x.min(y),
        "max": lambda x, y: x.max(y),
    }
    return Arithmetic(lambda number: flint.arb(float(number)), flint.arb.pi, functions)
