"""Which symbolic model, if any, is the formula of a problem's loss: proofs belong to formulas."""

import numpy as np

from emmd.theory.numeric.bounds.rounding import loss_rounding

_PROBE = 0.5


def formula(lab):
    """Return the name of the scalar model whose density makes up the problem's loss, or None.

    The density of `emmd.theory.symbolic.scalar_models` is evaluated at the predictors of every row and
    averaged; it must give the marginal loss, up to log sigma, within rounding at several points. A prior,
    a penalty or another density do not.

    Parameters
    ----------
    lab : Lab
    """
    rows = lab.model.predictor_rows(lab.problem.data, lab.theta0)
    if rows.shape[1] != 2 or not lab.linear_model_set:
        return None
    # sympy takes a third of a second to import: only for what may have a formula
    from emmd.theory.symbolic.scalar_models import model_names, scalar_model

    points = lab.random_points("formula", 3, _PROBE)
    names = (name for name in model_names() if _says(scalar_model(name), lab, points))
    return next(names, None)


def _says(scalar, lab, points):
    import sympy as sp

    y = lab.problem.data.y
    if scalar.outcomes is not None and not np.isin(y, scalar.outcomes).all():
        return False
    symbols = scalar.a, scalar.b, scalar.y
    joints = [sp.lambdify(symbols, scalar.joint(z), "numpy") for z in (1, -1)]
    gaps = []
    for theta in points:
        a, b = lab.model.predictor_rows(lab.problem.data, theta).T
        with np.errstate(over="ignore"):
            loss = -np.logaddexp(*(joint(a, b, y) for joint in joints))
        gaps.append((lab.problem.loss(theta) - float(lab.problem.weights @ loss), theta))
    # the unit of y enters as one constant, log sigma
    shift = gaps[0][0]
    return np.isfinite(shift) and all(
        abs(gap - shift) <= 16.0 * (loss_rounding(lab.problem, theta) + loss_rounding(lab.problem, points[0]))
        for gap, theta in gaps
    )
