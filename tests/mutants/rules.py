"""Ways to break a file, one place at a time: signs, factors, dropped terms and weights, swapped arguments."""

import ast
from collections.abc import Iterator

_FLIPPED: dict[type, type] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
_WEIGHTS = ("weights", "weight", "kernel_weights")


def mutants(source: str, budgets: bool = False) -> Iterator[tuple[str, int, str]]:
    """Yield (rule, line, source) for every place of a file that a rule can break.

    Parameters
    ----------
    source : str
    budgets : bool
        Whether the file compares: then budgets, predictions and observations are broken, too.
    """
    for rule in (_flip, _double, _drop, _unweigh, _swap, *((_widen, _silence) if budgets else ())):
        for index, line in enumerate(_places(source, rule)):
            yield rule.__name__.strip("_"), line, _broken(source, rule, index)


def constants(source: str, name: str, value: str) -> str:
    """Return a file whose function `name` returns a constant expression."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.body = [ast.Return(ast.parse(value, mode="eval").body)]
    return ast.unparse(ast.fix_missing_locations(tree))


def _places(source, rule):
    return [node.lineno for node in _nodes(ast.parse(source)) if rule(node) is not None]


def _nodes(tree):
    """Return the expressions inside functions, in order."""
    found = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                found += [node for node in ast.walk(statement) if hasattr(node, "lineno")]
    unique = {id(node): node for node in found}
    return sorted(unique.values(), key=lambda node: (node.lineno, node.col_offset, type(node).__name__))


def _broken(source, rule, index):
    tree = ast.parse(source)
    targets = [node for node in _nodes(tree) if rule(node) is not None]
    target = targets[index]

    class Replace(ast.NodeTransformer):
        def visit(self, node):
            return rule(node) if node is target else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Replace().visit(tree)))


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
    if isinstance(node, ast.keyword) and node.arg == "budget":
        return ast.keyword("budget", ast.BinOp(ast.Constant(1e6), ast.Mult(), node.value))
    return None


def _silence(node):
    """Nothing for what was seen, thrice for what was predicted."""
    if isinstance(node, ast.keyword) and node.arg == "observed":
        return ast.keyword("observed", ast.BinOp(ast.Constant(0.0), ast.Mult(), node.value))
    if isinstance(node, ast.keyword) and node.arg == "predicted":
        return ast.keyword("predicted", ast.BinOp(ast.Constant(3.0), ast.Mult(), node.value))
    return None
