"""The M-step is a mirror descent step of unit length.

``Q(eta | eta_t)`` is minimised on average over the data.  Both sides of the statement agree for
every observation and every eta, and ``(a, b)`` is linear in theta with coefficients x, so their
averages against x agree: the M-step's normal equations are ``grad A(theta+) = grad A(theta_t) -
grad L(theta_t)``, the derivatives now taken in theta.

Source: Kunstner, Kumar and Schmidt 2021; Fruytier, Mokhtari and Sanghavi 2025.
"""

import sympy as sp

from emmd.theory.symbolic.derived import at, loss_gradient, mirror_gradient, point, surrogate
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "E4"
STATEMENT = (
    "grad_eta Q(eta|eta_t) = grad A(eta) - (grad A(eta_t) - grad l(eta_t)) for all eta, eta_t, y; "
    "hence the M-step solves grad A(theta+) = grad A(theta_t) - grad L(theta_t)"
)
ASSUMES = ("eta = (a, b) is linear in theta",)
SABOTAGES = {
    "missing factor 2": {"evidence": sp.S.Half},
    "step 1.1": {"step": sp.Rational(11, 10)},
    "step 0.9": {"step": sp.Rational(9, 10)},
}


def residual(model: ScalarModel, *, step: sp.Expr = sp.S.One, evidence: sp.Expr = sp.S.One) -> list[sp.Expr]:
    """Components of the two gradients' difference for mirror step `step` and power `evidence`."""
    eta_t = point("t")
    q = surrogate(model, model.eta, eta_t, evidence)
    m_step = sp.ImmutableMatrix([q.diff(symbol) for symbol in model.eta])
    target = at(model, mirror_gradient(model) - step * loss_gradient(model), eta_t)
    return list(m_step - mirror_gradient(model) + target)
