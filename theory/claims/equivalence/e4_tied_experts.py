r"""E4, across models: a symmetric model is the general mixture with tied parameters.

SymMoLinE is two Gaussian experts of known variance with coefficients +beta and -beta, SymMoLogE two
Bernoulli experts likewise, both under the gate w. With the tie theta -> B theta the two models' losses
agree, and the symmetric gradient is B' times the general one, by kernels that share nothing.
"""

import numpy as np

from emmd.core.problem import Problem
from emmd.models.mixture.model import MixtureOfExperts
from emmd.theory.assumptions import regular_design, symmetric_experts
from emmd.theory.claim import Claim, Comparison, Kind, Sabotage, componentwise
from emmd.theory.numeric.bounds.rounding import gradient_rounding, inner_rounding, loss_rounding


def measure(lab, sign=-1.0, gate=1.0):
    """Compare losses and gradients of both models at the probes."""
    problem, tie = lab.once("general model", lambda: _general(lab)), _tie(lab, sign, gate)
    for label, theta in lab.probes:
        general = tie @ theta
        budget = lab.loss_error(theta) + loss_rounding(problem, general)
        where = {"point": label, "theta": theta}
        losses = problem.loss(general), lab.problem.loss(theta)
        yield Comparison(*losses, budget, 1.0 + abs(losses[0]), {**where, "of": "loss"}, part="loss")
        yield from componentwise(
            tie.T @ problem.gradient(general),
            lab.problem.gradient(theta),
            lab.gradient_error(theta) + np.abs(tie).T @ gradient_rounding(problem, general),
            inner_rounding(lab.problem, 1.0, theta),
            label,
            **where,
        )


def _general(lab):
    model = lab.model
    if model.has_density:
        general = MixtureOfExperts(model.n_features, 2, "gaussian", variance=model.sigma**2)
        y = lab.problem.y
    else:
        general = MixtureOfExperts(model.n_features, 2, "bernoulli")
        y = 0.5 * (lab.problem.y + 1.0)
    return Problem(general, lab.problem.X, y, lab.problem.weights)


def _tie(lab, sign, gate):
    """Return B with (beta, w) -> (beta, sign * beta, gate * w), shape (3d, 2d)."""
    one, none = np.eye(lab.model.n_features), np.zeros((lab.model.n_features, lab.model.n_features))
    return np.block([[one, none], [sign * one, none], [none, gate * one]])


CLAIM = Claim(
    id="E4-tied-experts",
    statement="A symmetric model is the general mixture with coefficients +beta and -beta.",
    latex=r"L_{sym}(\beta, w) = L(\beta, -\beta, w), \quad \nabla L_{sym} = B' \nabla L",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("both experts with the same sign", {"sign": 1.0}),
        Sabotage("half the gate", {"gate": 0.5}),
    ),
    assumptions=(regular_design, symmetric_experts),
)
