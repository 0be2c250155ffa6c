"""Newton's method on the marginal loss in a trust region, for what EM comes near to slowly."""

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

    Notes
    -----
    By scipy's ``trust-exact`` (Conn, Gould, Toint 2000) with the Hessian I_com - I_mis. Negative curvature
    leads it off saddles and plateaus. Along a direction in which the likelihood rises without end it moves
    by about one unit of a predictor at a time, and the distance to the supremum falls by a factor e, where
    that of EM after t steps falls like 1 / t.
    """
    model, data = problem.model, problem.data
    scale = model.parameter_scale(data)
    outer = np.outer(scale, scale)

    def loss(u):
        value = model.loss(data, u / scale)
        return value if np.isfinite(value) else np.inf

    with np.errstate(all="ignore"):
        found = minimize(
            loss,
            theta * scale,
            jac=lambda u: model.gradient(data, u / scale) / scale,
            hess=lambda u: model.hessian(data, u / scale) / outer,
            method="trust-exact",
            options={"gtol": tol, "maxiter": max_iter},
        )
    return found.x / scale
