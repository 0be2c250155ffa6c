"""Ways to break a file, one place at a time: signs, factors, dropped terms and weights, swapped arguments."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

_FLIPPED: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_COMPARED = ("predicted", "observed", "budget")
"""The first arguments of a comparison."""

_WEIGHTS = ("weights", "weight", "kernel_weights")


@dataclass(frozen=True)
class Place:
    """Where a rule can break a file: at the `index`-th expression that it knows."""

    rule: Callable
    index: int
    line: int

    @property
    def name(self) -> str:
        """What the rule is called."""
        return self.rule.__name__.strip("_")

    def broken(self, source: str) -> str:
        """Return the file, broken there."""
        tree = ast.parse(source)
        target = [node for node in _nodes(tree) if self.rule(node) is not None][self.index]
        changed = _Replaced(target, self.rule(target)).visit(tree)
        return ast.unparse(ast.fix_missing_locations(changed))


class _Replaced(ast.NodeTransformer):
    """Puts one expression in the place of another."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def places(source: str, budgets: bool = False) -> list[Place]:
    """Return every place of a file that a rule can break.

    Parameters
    ----------
    source : str
    budgets : bool
        Whether the file compares: then budgets, predictions and observations are broken, too.
    """
    nodes = _nodes(ast.parse(source))
    rules = (_flip, _double, _drop, _unweigh, _swap, *((_widen, _silence, _triple) if budgets else ()))
    return [
        Place(rule, index, node.lineno)
        for rule in rules
        for index, node in enumerate(node for node in nodes if rule(node) is not None)
    ]


def constants(source: str, name: str, value: str) -> str:
    """Return a file whose function `name` returns a constant expression."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.body = [ast.Return(ast.parse(value, mode="eval").body)]
    return ast.unparse(ast.fix_missing_locations(tree))


def _nodes(tree):
    """Return the expressions inside functions, in order."""
    found = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                found += [node for node in ast.walk(statement) if hasattr(node, "lineno")]
    unique = {id(node): node for node in found}
    return sorted(unique.values(), key=lambda node: (node.lineno, node.col_offset, type(node).__name__))


def _flip(node):
    """a + b for a - b, and the other way round."""
    if isinstance(node, ast.BinOp) and type(node.op) in _FLIPPED:
        return ast.BinOp(node.left, _FLIPPED[type(node.op)](), node.right)
    return None


def _double(node):
    """Twice a factor."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
        return ast.BinOp(ast.Constant(2.0), ast.Mult(), node)
    return None


def _drop(node):
    """a for a + b."""
    if isinstance(node, ast.BinOp) and type(node.op) in _FLIPPED:
        return node.left
    return None


def _unweigh(node):
    """b for weights * b."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        name = node.left.attr if isinstance(node.left, ast.Attribute) else getattr(node.left, "id", "")
        if name in _WEIGHTS:
            return node.right
    return None


def _swap(node):
    """f(b, a) for f(a, b)."""
    if isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
        plain = all(isinstance(each, ast.Name | ast.Attribute) for each in node.args)
        if plain and isinstance(node.func, ast.Name | ast.Attribute):
            return ast.Call(node.func, node.args[::-1], [])
    return None


def _widen(node):
    """A budget a million times as wide."""
    return _scaled(node, {"budget": 1e6})


def _silence(node):
    """Nothing for what was seen."""
    return _scaled(node, {"observed": 0.0})


def _triple(node):
    """Thrice for what was predicted."""
    return _scaled(node, {"predicted": 3.0})


def _scaled(node, factors):
    """Return a keyword, or a comparison by position, with a number in it scaled."""
    if isinstance(node, ast.keyword) and node.arg in factors:
        return ast.keyword(node.arg, _times(factors[node.arg], node.value))
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Comparison":
        arguments = [
            _times(factors[name], value) if name in factors else value
            for name, value in zip(_COMPARED, node.args)
        ]
        rest = node.args[len(_COMPARED) :]
        if any(name in factors for name, _ in zip(_COMPARED, node.args)):
            return ast.Call(node.func, [*arguments, *rest], node.keywords)
    return None


def _times(factor, value):
    return ast.BinOp(ast.Constant(factor), ast.Mult(), value)
