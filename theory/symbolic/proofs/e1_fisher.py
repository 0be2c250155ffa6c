"""Fisher's identity: the gradient of the loss is prior mean minus posterior mean of the statistics.

Source: Dempster, Laird and Rubin 1977.
"""

import sympy as sp

from emmd.theory.symbolic.derived import loss_gradient, mirror_gradient, posterior_statistics
from emmd.theory.symbolic.scalar_models import ScalarModel

LABEL = "E1"
STATEMENT = "grad l(eta) = grad A(eta) - E[S(y,Z) | x,y; eta]"
ASSUMES = ()
SABOTAGES = {"missing factor 2": {"evidence": sp.S.Half}}


def residual(model: ScalarModel, *, evidence: sp.Expr = sp.S.One) -> list[sp.Expr]:
    """Components of ``grad l - grad A + E[S | x, y]``; `evidence` tempers the posterior."""
    return list(loss_gradient(model) - mirror_gradient(model) + posterior_statistics(model, evidence))
