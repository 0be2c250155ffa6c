"""The total mass of a model: what exp(A_y - A) adds up to over all y, with its error."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.numerics.rounding import EPS
from emmd.theory.numeric.mass.nodes import nodes_of

_ROWS = 3
_DRAWS = 20_000
_SHARPEST = 2.0
"""Squared step over squared deviation of the narrowest peak that the rule resolves."""

_FEW = 0.5
"""Share of the nodes below which those without mass are left out."""


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
    return lab.once(
        ("mass", row, apart, theta.tobytes()), lambda: _added_up(lab, theta, row, data, nodes, apart)
    )


def _added_up(lab, theta, row, data, nodes, apart):
    model = lab.model
    # the nodes are all one row, with one eta
    eta = lab.once(("eta", row, theta.tobytes()), lambda: model.definition(data).eta(theta)[:1].copy())
    at_nodes = np.repeat(eta * (1.0 + apart), len(nodes.y), axis=0)
    log_mass = model.log_numerator(data, at_nodes) - model.log_partition(eta)
    # a density may underflow far off, and its logarithm overflow
    density = np.exp(np.where(np.isnan(log_mass), -np.inf, log_mass))
    if np.isnan(log_mass).any() and not (log_mass > -np.inf).any():
        return Mass(float("nan"), float("nan"))
    terms = nodes.weights * density
    if np.isinf(terms).any():
        return Mass(float("inf"), float("nan"))
    rounding = EPS * _rounded(lab, theta, row, data, nodes, terms)
    step = abs(float(nodes.coarse @ density - terms.sum()))
    value, error = float(terms.sum()), rounding + step + sum(_beyond(terms, *end) for end in nodes.ends)
    if abs(value - 1.0) > error:
        error += _unseen(lab, theta, row, apart, nodes)
    return Mass(value, error)


def _log_density(model, data, theta, apart=0.0):
    """Return A_y - A at the rows of `data`."""
    eta = model.definition(data).eta(theta)
    return model.log_numerator(data, eta * (1.0 + apart)) - model.log_partition(eta)


def _rounded(lab, theta, row, data, nodes, terms):
    """Return what rounds in a sum of densities, in units of the machine precision."""
    model, seen = lab.model, np.flatnonzero(terms)
    if 0 < len(seen) < _FEW * len(terms):
        # of many counts few have a mass that is a number at all; few lengths are compiled for
        more = 2 ** int(np.ceil(np.log2(len(seen)))) - len(seen)
        data = _prepared(lab, row, nodes.y[np.pad(seen, (0, more), mode="edge")])
        terms = np.pad(terms[seen], (0, more))
    sizes = np.nan_to_num(model.loss_terms(data, theta), posinf=0.0)
    return float(np.nansum(terms * (32.0 + 8.0 * sizes)))


def _unseen(lab, theta, row, apart, nodes):
    """Bound the mass that the nodes miss: infinite where a y lies beyond or in too narrow a peak.

    Such a peak is seen by none of the nodes or by one, and a rule of twice the step may err by as much. Draws
    find every peak of a mass above 12 over their number but once in e^12 times. Without a sampler the data
    are what y is known to be, and bound nothing otherwise.
    """
    drawn = lab.model.has_own("sample_y")
    y = np.asarray(_draws(lab, theta, row) if drawn else _observed(lab.problem, row), dtype=float)
    flat, places = (each.reshape(len(each), -1) for each in (y, nodes.y))
    if (flat < places.min(axis=0)).any() or (flat > places.max(axis=0)).any():
        return np.inf
    ripple, between = 0.0, flat[(flat >= nodes.exact).all(axis=1)]
    if len(between):

        def log_density(at):
            return _log_density(lab.model, _prepared(lab, row, at.reshape(-1, *y.shape[1:])), theta, apart)

        try:
            axes = enumerate(np.unique(axis) for axis in places.T)
            ripple = sum(_ripple(log_density, between, j, axis) for j, axis in axes)
        except (ValueError, ArithmeticError):
            return np.inf
    return ripple + (12.0 / len(y) if drawn else 0.0)


def _ripple(log_density, y, j, axis):
    """Bound by what share of a peak's mass the rule errs along an axis; infinite for the narrowest peaks.

    Wherever y lies in a Gaussian peak of deviation s, 2 log p(y) - log p(y - h) - log p(y + h) is h^2 / s^2,
    and a rule of step h errs by at most 2 exp(-2 pi^2 s^2 / h^2) of the mass, by Poisson's formula.
    """
    cell = np.clip(np.searchsorted(axis, y[:, j]), 1, len(axis) - 1)
    step = np.zeros_like(y)
    step[:, j] = axis[cell] - axis[cell - 1]
    bend = np.max(2.0 * log_density(y) - log_density(y - step) - log_density(y + step))
    if not bend <= _SHARPEST:
        return np.inf
    return 2.0 * float(np.exp(-2.0 * np.pi**2 / bend)) if bend > 0.0 else 0.0


def _draws(lab, theta, row):
    X = repeated(lab.problem.X, row, _DRAWS)
    return lab.model.sample_y(theta, _DRAWS if X is None else X, lab.rng(f"mass {row}"))


def _observed(problem, row):
    """Return the y that were seen under one row's law."""
    return problem.y if problem.X is None else problem.y[row : row + 1]


def _data_at_nodes(lab, row):
    model, problem = lab.model, lab.problem
    known = model.support is not None and isinstance(problem.y, np.ndarray)
    nodes = nodes_of(model.support, problem.y) if known else None
    return (None, None) if nodes is None else (_prepared(lab, row, nodes.y), nodes)


def _prepared(lab, row, y):
    """Return the data of one row's covariates with every one of these y."""
    X, y, n = lab.model.check_rows(repeated(lab.problem.X, row, len(y)), y)
    return lab.model.prepare(X, y, np.full(n, 1.0 / n))


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
