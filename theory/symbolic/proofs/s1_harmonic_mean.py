"""The missing information at the true parameter is below an envelope that integrates over y in closed form.

``4 p (1-p) f(y|x)`` is twice the harmonic mean of the joint densities of (y, z = 1) and (y, z = -1).  With c
half the log-odds it is ``sech(c) <= 1`` times twice their geometric mean, the envelope:
``sech(b/2) e^(-a^2/2) phi(y)`` for linear experts and ``sech(a/2) sech(b/2) / 2`` for labels.  What the bound
gives away is the envelope times ``1 - sech(c) = (e^(c/2) - e^(-c/2))^2 / (e^c + e^(-c)) >= 0``.
"""

import sympy as sp

from emmd.theory.symbolic.derived import log_odds, posterior, statistics
from emmd.theory.symbolic.expectation import integral_over_y
from emmd.theory.symbolic.scalar_models import STATES, ScalarModel

LABEL = "S1"
STATEMENT = (
    "envelope^2 = 4 p(y,1|x) p(y,-1|x), 4 p(1-p) f(y|x) = envelope sech(c) with c half the log-odds, "
    "envelope - 4 p(1-p) f(y|x) = envelope (e^(c/2) - e^(-c/2))^2 / (e^c + e^(-c)), and "
    "int envelope ss' dy = sech(b/2) e^(-a^2/2) diag(1, 1/4) (linear), sech(a/2) sech(b/2) I_2 / 4 (labels)"
)
FOUR = sp.Integer(4)
ASSUMES = ("y is drawn from the model at the same parameter",)
SABOTAGES = {
    "3 p (1 - p)": {"share": sp.Integer(3)},
    "missing factor 2": {"evidence": sp.S.Half},
}


def residual(model: ScalarModel, *, share: sp.Expr = FOUR, evidence: sp.Expr = sp.S.One) -> list[sp.Expr]:
    """Geometric mean, harmonic mean, gap of the bound, and the entries of its integral over y.

    `share` multiplies ``p (1-p)``; `evidence` is the power on the likelihood in the posterior.
    """
    factor, log_weight, bound = _envelope(model)
    envelope = factor * sp.exp(log_weight)
    first, second = (sp.exp(model.joint(z)) for z in STATES)
    missing = sp.Mul(*(posterior(model, z, evidence) for z in STATES)) * share * (first + second)
    c = log_odds(model, evidence) / 2
    gap = (sp.exp(c / 2) - sp.exp(-c / 2)) ** 2 / (sp.exp(c) + sp.exp(-c))
    scores = (statistics(model, 1) - statistics(model, -1)) / 2
    entries = [
        factor * integral_over_y(model, log_weight, scores[i] * scores[j]) - bound[i, j]
        for i, j in ((0, 0), (0, 1), (1, 1))
    ]
    return [
        envelope**2 - 4 * first * second,
        missing - envelope * _sech(c),
        envelope - missing - envelope * gap,
        *entries,
    ]


def _sech(u: sp.Expr) -> sp.Expr:
    return 2 / (sp.exp(u) + sp.exp(-u))


def _envelope(model: ScalarModel) -> tuple[sp.Expr, sp.Expr, sp.Matrix]:
    """Part of the envelope free of y, logarithm of the other part, and the integral against ss'."""
    if model.outcomes is None:
        factor = _sech(model.b / 2) * sp.exp(-(model.a**2) / 2)
        return factor, model.log_carrier, factor * sp.diag(1, sp.Rational(1, 4))
    factor = _sech(model.a / 2) * _sech(model.b / 2) / 2
    return factor, sp.S.Zero, factor / 2 * sp.eye(2)
