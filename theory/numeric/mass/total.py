"""The total mass of a model: what exp(A_y - A) adds up to over all y, with its error."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.rounding import EPS
from emmd.theory.numeric.mass.nodes import nodes_of

_ROWS = 3


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
    return Mass(float(terms.sum()), rounding + step + sum(_beyond(terms, *end) for end in nodes.ends))


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
