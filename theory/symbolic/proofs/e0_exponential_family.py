"""The complete data form an exponential family with natural parameter ``(a, b)``.

Source: Kunstner, Kumar and Schmidt 2021 (setting); Fruytier, Mokhtari and Sanghavi 2025 (models).
"""

import sympy as sp

from emmd.theory.symbolic.derived import log_partition, posterior, statistics
from emmd.theory.symbolic.expectation import total_mass
from emmd.theory.symbolic.scalar_models import STATES, ScalarModel

LABEL = "E0"
STATEMENT = (
    "log p(y,z|x) = log h(y) + <S(y,z), eta> - A(eta) for both z, "
    "sum_z int p(y,z|x) dy = 1, and P(z|x,y) sum_z' p(y,z'|x) = p(y,z|x)"
)
ASSUMES = ()
SABOTAGES = {"missing factor 2": {"evidence": sp.S.Half}, "mirror map halved": {"mirror": sp.S.Half}}


def residual(
    model: ScalarModel, *, evidence: sp.Expr = sp.S.One, mirror: sp.Expr = sp.S.One
) -> list[sp.Expr]:
    """Exponential-family form for each z, total mass, and Bayes' rule for each z.

    The factor `mirror` multiplies the mirror map and `evidence` is the power on the likelihood in
    the posterior; both are 1 in the true statement.
    """
    eta = sp.ImmutableMatrix(model.eta)
    mass = sp.Add(*(sp.exp(model.joint(z)) for z in STATES))
    form = [
        model.joint(z) - model.log_carrier - statistics(model, z).dot(eta) + mirror * log_partition(model)
        for z in STATES
    ]
    bayes = [posterior(model, z, evidence) * mass - sp.exp(model.joint(z)) for z in STATES]
    return [*form, total_mass(model) - 1, *bayes]
