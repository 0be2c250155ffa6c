"""At the current point the surrogate has the gradient of the loss: gradient EM starts as GD.

Source: Dempster, Laird and Rubin 1977.
"""

import sympy as sp

from emmd.theory.symbolic.derived import at, loss_gradient, point, surrogate
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "L4"
STATEMENT = "grad_eta Q(eta|eta_t) at eta = eta_t equals grad l(eta_t)"
ASSUMES = ()
SABOTAGES = {"missing factor 2": {"evidence": sp.S.Half}}


def residual(model: ScalarModel, *, evidence: sp.Expr = sp.S.One) -> list[sp.Expr]:
    """Components of the gradients' difference; `evidence` tempers the posterior."""
    eta_t = point("t")
    q = surrogate(model, model.eta, eta_t, evidence)
    slope = sp.ImmutableMatrix([q.diff(symbol) for symbol in model.eta])
    return list(at(model, slope - loss_gradient(model), eta_t))
