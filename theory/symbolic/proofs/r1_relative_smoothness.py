"""The loss is 1-smooth relative to the mirror map, as an exact identity and in its Hessian form.

Source: Kunstner, Kumar and Schmidt 2021; Louis 1982 for the Hessian form.
"""

import sympy as sp

from emmd.theory.symbolic.derived import (
    at,
    complete_hessian,
    divergence,
    inner,
    loss,
    loss_gradient,
    loss_hessian,
    missing_information,
    point,
    posterior_kl,
)
from emmd.theory.symbolic.expectation import joint_kl
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "R1"
STATEMENT = (
    "l(u) = l(v) + <grad l(v), u - v> + D_A(u,v) - KL( P_v(z|x,y) || P_u(z|x,y) ), "
    "the same with KL( p_v(y,z|x) || p_u(y,z|x) ) for D_A(u,v), and "
    "hess A - hess l = Cov(S | x,y)"
)
ASSUMES = ()
SABOTAGES = {
    "smoothness constant 0.9": {"constant": sp.Rational(9, 10)},
    "reversed posterior KL": {"reverse": True},
}


def residual(model: ScalarModel, *, constant: sp.Expr = sp.S.One, reverse: bool = False) -> list[sp.Expr]:
    """Identity with ``D_A``, identity with the joint KL, Hessian identity (upper triangle).

    The factor `constant` multiplies ``D_A``, the joint KL and ``hess A``; `reverse` exchanges the
    arguments of the posterior KL.
    """
    u, v = point("u"), point("v")
    slope = inner(at(model, loss_gradient(model), v), u, v)
    posterior_gap = posterior_kl(model, u, v) if reverse else posterior_kl(model, v, u)
    smooth = at(model, loss(model), u) - at(model, loss(model), v) - slope + posterior_gap
    louis = constant * complete_hessian(model) - loss_hessian(model) - missing_information(model)
    return [
        smooth - constant * divergence(model, u, v),
        smooth - constant * joint_kl(model, v, u),
        *(louis[i, j] for i, j in ((0, 0), (0, 1), (1, 1))),
    ]
