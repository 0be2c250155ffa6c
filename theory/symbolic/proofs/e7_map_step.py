"""With a conjugate prior one EM-MAP step is a mirror descent step of length 1 / (1 + nu).

The prior adds ``nu A(eta) - <m, eta>`` to loss and surrogate, with any nu and m.  Both sides agree for
every observation, every eta, nu and m; ``(a, b)`` is linear in theta, so their averages against x
agree, and the MAP update's normal equations are ``grad A(theta+) = grad A(theta_t) -
grad F(theta_t) / (1 + nu)``.

Source: derived here; it follows from E4.
"""

import sympy as sp

from emmd.theory.symbolic.derived import at, loss_gradient, mirror_gradient, point, surrogate
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "E7"
STATEMENT = (
    "grad_eta [Q(eta|eta_t) + nu A(eta) - <m, eta>] = (1 + nu) [grad A(eta) - grad A(eta_t)] "
    "+ grad f(eta_t), f = l + nu A - <m, eta>; "
    "hence grad A(theta+) = grad A(theta_t) - grad F(theta_t) / (1 + nu)"
)
ASSUMES = ("eta = (a, b) is linear in theta",)
SABOTAGES = {
    "MAP with unit step": {"unit": True},
    "pseudo-observations without their statistics": {"statistics": sp.S.Zero},
    "missing factor 2": {"evidence": sp.S.Half},
}


def residual(
    model: ScalarModel,
    *,
    unit: bool = False,
    statistics: sp.Expr = sp.S.One,
    evidence: sp.Expr = sp.S.One,
) -> list[sp.Expr]:
    """Components of the two sides' difference.

    `unit` says that the step is 1 instead of 1 / (1 + nu); `statistics` multiplies m in the loss.
    """
    nu, m = sp.Symbol("nu", positive=True), sp.ImmutableMatrix(sp.symbols("m_1 m_2", real=True))
    eta_t = point("t")
    q = surrogate(model, model.eta, eta_t, evidence)
    m_step = sp.ImmutableMatrix([q.diff(symbol) for symbol in model.eta]) + nu * mirror_gradient(model) - m
    before = at(model, mirror_gradient(model), eta_t)
    slope = at(model, loss_gradient(model), eta_t) + nu * before - statistics * m
    step = 1 + nu if unit else sp.S.One
    return list(m_step - (1 + nu) * (mirror_gradient(model) - before) - step * slope)
