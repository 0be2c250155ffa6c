"""Newton's method on the marginal loss in a trust region, for what EM comes near to slowly."""

from contextlib import suppress

import numpy as np
from scipy.optimize import minimize


def trust_region(problem, theta, tol=1e-9, max_iter=500):
    """Return a point with a lower marginal loss, near a minimum or, where there is none, far out.

    Parameters
    ----------
    problem : Problem
    theta : ndarray of shape (p,)
        Start, with a finite loss.
    tol : float
        Norm of the gradient, in units of the predictors, at which it stops.
    max_iter : int

    Returns
    -------
    ndarray of shape (p,)
        The last point with a finite Hessian where that overflows.

    Notes
    -----
    By scipy's ``trust-exact`` (Conn, Gould, Toint 2000) with the Hessian I_com - I_mis. Negative curvature
    leads it off saddles and plateaus. Along a direction in which the likelihood rises without end it moves
    by about one unit of a predictor at a time, and the distance to the supremum falls by a factor e, where
    that of EM after t steps falls like 1 / t.
    """
    model, data = problem.model, problem.data
    scale = model.parameter_scale(data)
    outer, regular = np.outer(scale, scale), [theta * scale]

    def loss(u):
        value = model.loss(data, u / scale) if model.in_domain(u / scale) else np.inf
        return value if np.isfinite(value) else np.inf

    def hessian(u):
        value = model.hessian(data, u / scale) / outer
        if not np.isfinite(value).all():
            raise FloatingPointError
        regular.append(u)
        return value

    with np.errstate(all="ignore"), suppress(FloatingPointError, OverflowError):
        found = minimize(
            loss,
            theta * scale,
            jac=lambda u: model.gradient(data, u / scale) / scale,
            hess=hessian,
            method="trust-exact",
            options={"gtol": tol, "maxiter": max_iter},
        )
        regular.append(found.x)
    return regular[-1] / scale
