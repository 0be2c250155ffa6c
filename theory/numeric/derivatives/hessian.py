"""The Hessian of the marginal loss from its density alone: it decides whether the claims about rates apply.

Whether a claim is tested must not be decided by the code that is tested, so nothing here touches the models'
own informations.
"""

import numpy as np

from emmd.core.protocols.model import Model

_HALVINGS = 40
_STEP = 1e-3
"""Displacement of a predictor in units of its own curvature; the error of what is extrapolated is its fourth
power."""


def density_hessian(problem, theta):
    """Return hess L(theta) by differences of complex steps of the density, shape (p, p).

    Parameters
    ----------
    problem : emmd.Problem
        Of a model whose predictors are affine in theta.
    theta : ndarray of shape (p,)

    Returns
    -------
    ndarray of shape (p, p)
        To about 1e-9 of its scale.
    """
    maps, rows = _maps(problem, theta)
    # the slope's own size tells how far a predictor may go
    sizes = np.sqrt(problem.weights @ problem.definition.row_slopes(rows) ** 2)
    steps = _STEP / np.where(sizes > 0, sizes, 1.0)
    if type(problem.model).predictor_rows is Model.predictor_rows:
        # the predictors are theta itself, which has a domain
        steps = np.array([_inside(problem.model, theta, b, h) for b, h in enumerate(steps)])
    curvature = np.stack([_second(problem, rows, b, h) for b, h in enumerate(steps)], axis=2)
    half = problem.weights[:, None, None] * (curvature @ maps)
    hessian = maps.reshape(-1, len(theta)).T @ half.reshape(-1, len(theta))
    return 0.5 * (hessian + hessian.T) + _penalty(problem, theta)


def _inside(model, theta, b, h):
    """Return a displacement of one parameter, halved until the points that are used lie in the domain."""
    shift = np.zeros_like(theta)
    for _ in range(_HALVINGS):
        shift[b] = 2.0 * h
        if model.in_domain(theta + shift) and model.in_domain(theta - shift):
            break
        h *= 0.5
    return h


def _maps(problem, theta):
    """Return the derivatives of the predictors in theta, shape (n, B, p), and the predictors, (n, B)."""
    model, data = problem.model, problem.data
    zero = model.predictor_rows(data, np.zeros(len(theta)))
    columns = [model.predictor_rows(data, e) - zero for e in np.eye(len(theta))]
    return np.stack(columns, axis=2), model.predictor_rows(data, theta)


def _second(problem, rows, b, h):
    """Return d slope / d predictor b of every row, shape (n, B), extrapolated from two displacements."""
    fine, coarse = (_difference(problem, rows, b, factor * h) for factor in (1.0, 2.0))
    return (4.0 * fine - coarse) / 3.0


def _difference(problem, rows, b, h):
    up, down = rows.copy(), rows.copy()
    up[:, b] += h
    down[:, b] -= h
    return (problem.definition.row_slopes(up) - problem.definition.row_slopes(down)) / (2.0 * h)


def _penalty(problem, theta):
    if problem.model.penalty(theta) == 0.0 and problem.model.penalty(theta + 1.0) == 0.0:
        return 0.0
    steps = 1e-4 * (1.0 + np.abs(theta))
    rows = []
    for h, e in zip(steps, np.eye(len(theta))):
        ends = [problem.definition.penalty_gradient(theta + side * h * e) for side in (1.0, -1.0)]
        rows.append((ends[0] - ends[1]) / (2.0 * h))
    return 0.5 * (np.array(rows) + np.array(rows).T)
