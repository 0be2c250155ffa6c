"""EM's surrogate is the linearised loss plus a Bregman divergence, which is a KL divergence.

Source: Kunstner, Kumar and Schmidt 2021; Fruytier, Mokhtari and Sanghavi 2025.
"""

import sympy as sp

from emmd.theory.symbolic.derived import at, divergence, inner, loss_gradient, point, surrogate
from emmd.theory.symbolic.expectation import joint_kl
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "E5"
STATEMENT = (
    "Q(eta|eta_t) - Q(eta_t|eta_t) = <grad l(eta_t), eta - eta_t> + D_A(eta, eta_t) and "
    "D_A(eta, eta_t) = KL( p_{eta_t}(y,z|x) || p_eta(y,z|x) )"
)
ASSUMES = ()
SABOTAGES = {"reversed KL": {"reverse": True}, "reversed divergence": {"swap": True}}


def residual(model: ScalarModel, *, reverse: bool = False, swap: bool = False) -> list[sp.Expr]:
    """Surrogate identity, then divergence minus KL.

    `reverse` exchanges the arguments of the KL divergence, `swap` those of ``D_A`` in the
    surrogate; both are false.
    """
    eta, eta_t = model.eta, point("t")
    gain = surrogate(model, eta, eta_t) - surrogate(model, eta_t, eta_t)
    linear = inner(at(model, loss_gradient(model), eta_t), eta, eta_t)
    bregman = divergence(model, eta_t, eta) if swap else divergence(model, eta, eta_t)
    kl = joint_kl(model, eta, eta_t) if reverse else joint_kl(model, eta_t, eta)
    return [gain - linear - bregman, divergence(model, eta, eta_t) - kl]
