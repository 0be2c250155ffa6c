"""The total mass of a model: what exp(A_y - A) adds up to over all y, with its error."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.numerics.rounding import EPS
from emmd.theory.numeric.mass.nodes import nodes_of

_ROWS = 3
_DRAWS = 20_000
_WIDEST_JUMP = 1.0
"""Between two nodes the logarithm of a density that the rule resolves changes by less."""


@dataclass(frozen=True)
class Mass:
    """A sum or an integral over all y.

    Attributes
    ----------
    value : float
    error : float
        A bound: rounding, the rule's step, and what lies beyond its ends.
    """

    value: float
    error: float


def chosen_rows(lab: Any) -> list:
    """Return the rows whose masses are looked at; one where there are no covariates."""
    n = lab.problem.n_rows
    return [0] if lab.problem.X is None else sorted({0, n // 2, n - 1})[:_ROWS]


def total_mass(lab: Any, theta: np.ndarray, row: int, apart: float = 0.0) -> Mass | None:
    """Return the mass of one row at theta; None where no rule is known for this kind of y.

    Parameters
    ----------
    lab : Lab
        Of a model with a `support`.
    theta : ndarray of shape (p,)
    row : int
    apart : float
        By which share the eta of A_y differs from that of A: a sabotage.
    """
    data, nodes = lab.once(("mass", row), lambda: _data_at_nodes(lab, row))
    if data is None:
        return None
    model, definition = lab.model, lab.model.definition(data)
    eta = definition.eta(theta)
    log_mass = model.log_numerator(data, eta * (1.0 + apart)) - model.log_partition(eta)
    # a density may underflow far off, and its logarithm overflow
    density = np.exp(np.where(np.isnan(log_mass), -np.inf, log_mass))
    if np.isnan(log_mass).any() and not (log_mass > -np.inf).any():
        return Mass(float("nan"), float("nan"))
    terms = nodes.weights * density
    terms_of_loss = np.nan_to_num(model.loss_terms(data, theta), posinf=0.0)
    rounding = EPS * float(np.nansum(terms * (32.0 + 8.0 * terms_of_loss)))
    step = abs(float(nodes.coarse @ density - terms.sum()))
    value, error = float(terms.sum()), rounding + step + sum(_beyond(terms, *end) for end in nodes.ends)
    if abs(value - 1.0) > error and model.has_own("sample_y"):
        error += _unseen(lab, theta, row, nodes, log_mass)
    return Mass(value, error)


def _unseen(lab, theta, row, nodes, log_mass):
    """Bound the mass that the nodes miss: infinite where a draw of y lies beyond or in too wide a gap.

    A peak between two nodes is seen by neither, and by no rule of twice the step. Where no draw tells of one,
    12 over the number of draws is a bound that errs once in e^12 times.
    """
    y = nodes.y.reshape(-1) if nodes.y.size == len(nodes.y) else None
    if y is None:
        return np.inf
    try:
        X = repeated(lab.problem.X, row, _DRAWS)
        drawn = lab.model.sample_y(theta, _DRAWS if X is None else X, lab.rng(f"mass {row}"))
    except (ValueError, ArithmeticError):
        return np.inf
    drawn = np.asarray(drawn, dtype=float).reshape(-1)
    if drawn.min() < y.min() or drawn.max() > y.max():
        return np.inf
    right = np.clip(np.searchsorted(y, drawn), 1, len(y) - 1)
    jumps = np.abs(log_mass[right] - log_mass[right - 1])
    if nodes.coarse is not nodes.weights and not (jumps <= _WIDEST_JUMP).all():
        return np.inf
    return 12.0 / len(drawn)


def _data_at_nodes(lab, row):
    model, problem = lab.model, lab.problem
    known = model.support is not None and isinstance(problem.y, np.ndarray)
    nodes = nodes_of(model.support, problem.y) if known else None
    if nodes is None:
        return None, None
    X = repeated(problem.X, row, len(nodes.y))
    X, y, n = model.check_rows(X, nodes.y)
    return model.prepare(X, y, np.full(n, 1.0 / n)), nodes


def repeated(tree: Any, row: int, m: int) -> Any:
    """Return one row of a tree of arrays m times."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: repeated(each, row, m) for key, each in tree.items()}
    if isinstance(tree, tuple):
        return tuple(repeated(each, row, m) for each in tree)
    return np.repeat(tree[row : row + 1], m, axis=0)


def _beyond(terms, last, before):
    """Bound what lies beyond an end by a geometric series that falls as the last terms do."""
    if terms[last] == 0.0:
        return 0.0
    ratio = terms[last] / terms[before]
    return float(terms[last] * ratio / (1.0 - ratio)) if ratio < 1.0 else np.inf
