"""Losses of one row of a generalised linear model: value, slope and curvature in the linear predictor."""

from emmd.kernels.compile.jit import scalar
from emmd.kernels.maths.elementary import exp, exp_nonpositive, expm1, log1p_unit


@scalar
def poisson_loss(t, u):
    """Return ``e^u - t u`` with its first and second derivative in u."""
    mean = exp(u)
    return mean - t * u, mean - t, mean


@scalar
def bernoulli_loss(t, u):
    """Return ``log(1 + e^u) - t u`` with its first and second derivative in u."""
    small = exp_nonpositive(-abs(u))
    inverse = 1.0 / (1.0 + small)
    value = (u if u > 0.0 else 0.0) + log1p_unit(small) - t * u
    return value, (1.0 if u >= 0.0 else small) * inverse - t, small * inverse * inverse


@scalar
def gamma_loss(t, u):
    """Return half the unit deviance ``e^(t - u) - 1 - (t - u)``, t = log y, with two derivatives in u."""
    rest = expm1(t - u)
    return rest - (t - u), -rest, 1.0 + rest
