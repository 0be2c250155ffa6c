"""Expectations over the complete data (y, z): sums over outcomes, Gaussian integrals over the line."""

from functools import cache

import sympy as sp

from emmd.theory.symbolic.derived import Point, at
from emmd.theory.symbolic.scalar_models import STATES, ScalarModel

_U = sp.Dummy("u", real=True)


@cache
def _moment(log_weight: sp.Expr, power: int) -> sp.Expr:
    """Integral of ``u**power exp(log_weight(u))`` over the real line."""
    return sp.integrate(_U**power * sp.exp(log_weight), (_U, -sp.oo, sp.oo))


def _integrate_out(y: sp.Symbol, log_density: sp.Expr, values: sp.Expr) -> sp.Expr:
    """Integral over y of ``values exp(log_density)``, `values` a polynomial in y.

    The variable is shifted to the mode, ``y = mode + u``, where the weight is free of parameters
    and only its moments are needed.
    """
    (mode,) = sp.solve(log_density.diff(y), y)
    peak = log_density.subs(y, mode)
    log_weight = sp.expand(log_density.subs(y, mode + _U) - peak)
    terms = sp.Poly(values.subs(y, mode + _U), _U).terms()
    return sp.exp(peak) * sp.Add(*(c * _moment(log_weight, k) for (k,), c in terms))


def integral_over_y(model: ScalarModel, log_density: sp.Expr, values: sp.Expr) -> sp.Expr:
    """Integral over y, or sum over its outcomes, of ``values exp(log_density)``."""
    if model.outcomes is None:
        return _integrate_out(model.y, log_density, sp.expand(values))
    integrand = sp.exp(log_density) * values
    return sp.Add(*(integrand.xreplace({model.y: y}) for y in model.cases))


def total_mass(model: ScalarModel) -> sp.Expr:
    """``sum_z int p(y, z | x) dy``, which is 1 if the joint is a density."""
    return sp.Add(*(integral_over_y(model, model.joint(z), sp.S.One) for z in STATES))


def joint_kl(model: ScalarModel, v: Point, u: Point) -> sp.Expr:
    """``KL( p_v(y, z | x) || p_u(y, z | x) )`` from its definition, y and z integrated out."""
    joints = [(at(model, model.joint(z), v), at(model, model.joint(z), u)) for z in STATES]
    return sp.Add(*(integral_over_y(model, log_v, log_v - log_u) for log_v, log_u in joints))
