"""Formulas in (snr_e, snr_g, cosine, d): parsed, never executed."""

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

__all__ = ["FLOATS", "FUNCTIONS", "NAMES", "Arithmetic", "parse"]

NAMES = ("snr_e", "snr_g", "cosine", "d")
"""Variables of a formula."""

_LONGEST = 2000


def _sech(x):
    return 1.0 / np.cosh(x)


FUNCTIONS: Mapping[str, Callable] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "cosh": np.cosh,
    "sinh": np.sinh,
    "sech": _sech,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
}
"""Functions of a formula; min and max take two arguments or more."""


class Arithmetic(NamedTuple):
    """The numbers that a formula is evaluated in.

    Attributes
    ----------
    number : callable
        Takes the formula's constants: integers, and decimals as floats.
    pi : callable
        Without arguments, so that a number may depend on the precision at work.
    functions : mapping
        By the names that a formula calls them: those of `FUNCTIONS`, and maybe more.
    """

    number: Callable[[float], Any]
    pi: Callable[[], Any]
    functions: Mapping[str, Callable]


FLOATS = Arithmetic(np.float64, lambda: np.float64(math.pi), FUNCTIONS)

_BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNARY = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_VARIADIC = ("min", "max")


def parse(text, arithmetic=FLOATS):
    """Turn a formula into a function of arrays.

    Parameters
    ----------
    text : str
        Numbers, + - * / **, parentheses, the names snr_e, snr_g, cosine, d, pi and the functions exp, log,
        sqrt, tanh, cosh, sinh, sech, abs, min, max.
    arithmetic : Arithmetic
        Floats by default.

    Returns
    -------
    callable
        ``f(snr_e, snr_g, cosine, d)`` on arrays that broadcast.

    Raises
    ------
    ValueError
        If the text is not such a formula; the message says what is wrong with it.

    Notes
    -----
    Python's own parser makes the tree, and only the nodes above are translated; nothing is ever evaluated
    but operations on these numbers.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the bound's expression must have at most {_LONGEST} characters, got {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        detail = getattr(error, "msg", None) or str(error)
        raise ValueError(f"the bound's expression {_short(text)} does not parse: {detail}") from None
    try:
        compiled = _translate(tree.body, arithmetic)
    except RecursionError:
        raise ValueError(
            f"the bound's expression {_short(text)} does not parse: it is nested too deeply"
        ) from None
    return lambda snr_e, snr_g, cosine, d: compiled(dict(zip(NAMES, (snr_e, snr_g, cosine, d))))


def _translate(node, arithmetic):
    """Return a function from the values of the variables to the value of a node."""
    if isinstance(node, ast.Constant):
        return _constant(node.value, arithmetic)
    if isinstance(node, ast.Name):
        return _variable(node.id, arithmetic)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _applied(_BINARY[type(node.op)], [node.left, node.right], arithmetic)
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _applied(_UNARY[type(node.op)], [node.operand], arithmetic)
    if isinstance(node, ast.Call):
        return _call(node, arithmetic)
    power = isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor)
    raise ValueError(
        f"the bound's expression must be made of numbers, + - * / **, parentheses, {', '.join(NAMES)}, pi "
        f"and functions, got {_short(ast.unparse(node))}{'; powers are written **' if power else ''}"
    )


def _constant(value, arithmetic):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the bound's expression must hold real numbers only, got {_short(repr(value))}")
    try:
        np.float64(value)
    except OverflowError:
        raise ValueError("the bound's expression must hold numbers below 1e308, got a larger one") from None
    return lambda values: arithmetic.number(value)


def _variable(name, arithmetic):
    if name == "pi":
        return lambda values: arithmetic.pi()
    if name not in NAMES:
        raise ValueError(
            f"the bound's expression must only use the names {', '.join(NAMES)} and pi, got {name!r}"
        )
    return lambda values: values[name]


def _call(node, arithmetic):
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in arithmetic.functions:
        raise ValueError(
            f"the bound's expression must only use the functions {', '.join(FUNCTIONS)}, got {_short(name)}"
        )
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ValueError(f"the bound's expression must give {name} plain arguments")
    wanted, count = ("two or more" if name in _VARIADIC else "one"), len(node.args)
    if (count < 2) if name in _VARIADIC else (count != 1):
        raise ValueError(f"the bound's expression must give {name} {wanted} argument(s), got {count}")
    return _applied(arithmetic.functions[name], node.args, arithmetic)


def _applied(function, nodes, arithmetic):
    arguments = [_translate(node, arithmetic) for node in nodes]
    if len(arguments) == 1:
        return lambda values: function(arguments[0](values))

    def fold(values):
        result = arguments[0](values)
        for argument in arguments[1:]:
            result = function(result, argument(values))
        return result

    return fold


def _short(text):
    return repr(text if len(text) <= 60 else text[:57] + "...")
