"""What one EM step gains, exactly.

One observation does not satisfy the M-step's normal equations; only the average over the data
does.  So the statement carries the remainder ``<r, eta_t - eta_{t+1}>`` with
``r = grad A(eta_{t+1}) - grad A(eta_t) + grad l(eta_t)``.  As ``(a, b) = (x'beta, x'w)`` (up to the
scale sigma) is linear in theta, the average of the remainder is the inner product of the averaged
normal equations ``grad A(theta_{t+1}) - grad A(theta_t) + grad L(theta_t)``, in theta, with
``theta_t - theta_{t+1}``, and it vanishes after an exact M-step.

Source: derived here; it follows from R1 and E4.
"""

import sympy as sp

from emmd.theory.symbolic.derived import (
    at,
    divergence,
    inner,
    loss,
    loss_gradient,
    mirror_gradient,
    point,
    posterior_kl,
)
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "C1"
STATEMENT = (
    "l(eta_t) - l(eta_{t+1}) = D_A(eta_t, eta_{t+1}) + KL( P_t(z|x,y) || P_{t+1}(z|x,y) ) "
    "+ <grad A(eta_{t+1}) - grad A(eta_t) + grad l(eta_t), eta_t - eta_{t+1}>; "
    "on average the last term is 0 by the M-step (E4), hence "
    "L_t - L_{t+1} = D_A(theta_t, theta_{t+1}) + E KL( P_t || P_{t+1} )"
)
ASSUMES = (
    "for the averaged form: theta_{t+1} solves the M-step's normal equations exactly",
    "for the averaged form: eta = (a, b) is linear in theta",
)
SABOTAGES = {
    "step 1.1": {"step": sp.Rational(11, 10)},
    "step 0.9": {"step": sp.Rational(9, 10)},
    "reversed divergence": {"swap": True},
}


def residual(model: ScalarModel, *, step: sp.Expr = sp.S.One, swap: bool = False) -> list[sp.Expr]:
    """Decrease minus divergence, posterior KL and remainder.

    `step` multiplies ``grad l(eta_t)`` in the remainder: another value says that a mirror step of
    that length satisfies the same equality.  `swap` exchanges the arguments of ``D_A``.
    """
    now, after = point("t"), point("t1")
    grad_l = at(model, loss_gradient(model), now)
    grad_a_now, grad_a_after = (at(model, mirror_gradient(model), eta) for eta in (now, after))
    remainder = inner(grad_a_after - grad_a_now + step * grad_l, now, after)
    bregman = divergence(model, after, now) if swap else divergence(model, now, after)
    decrease = at(model, loss(model), now) - at(model, loss(model), after)
    return [decrease - bregman - posterior_kl(model, now, after) - remainder]
