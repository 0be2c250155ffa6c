"""Assumptions of claims, as predicates that are evaluated: "" when one holds, else what fails."""

from emmd.core.numerics.rounding import EPS
from emmd.models.conjugate_prior import ConjugatePrior
from emmd.models.mixture.model import MixtureOfExperts
from emmd.models.symmetric.model import SymmetricModel


def regular_design(lab):
    """The features are linearly independent, so the M-step is unique."""
    columns = lab.model.dependent_columns(lab.problem.data)
    return f"columns {columns} of X are linearly dependent" if columns else ""


def proper_step(lab):
    """EM has a step from the start."""
    failure = lab.path(lab.theta0, steps=1).failure
    return f"EM has no step from the start: {failure}" if failure else ""


def step_in_region(lab):
    """A step of EM stays where a sparse gate selects the same experts: identities hold there."""
    data, left = lab.problem.data, False
    for _, theta in lab.probes[:3]:
        step = lab.model.em_step(data, theta)[1]
        if step.failure is None:
            if lab.model.same_region(data, theta, step.theta):
                return ""
            left = True
    return "every step of EM changes which experts the gate selects for some row" if left else ""


def strict_minimum(lab):
    """EM from the start reaches a strict local minimum, solved to 1e-13."""
    return lab.reference.reason


def linear_model_set(lab):
    """The natural parameter is affine in theta, and the mirror map lives there: nothing is projected."""
    if lab.linear_model_set:
        return ""
    return "the model set is curved: eta is not affine in theta, and the unprojected step leaves it"


def curved_model_set(lab):
    """The natural parameter is not affine in theta, so that a projection is needed."""
    return "the model set is linear: no projection is needed" if lab.linear_model_set else ""


def _experts_fixed(lab):
    return "coef" in getattr(lab.model, "fixed", {})


def invariant_problem(lab):
    """A linear map of the features only renames the parameters."""
    return lab.model.changes_with_features()


def more_than_a_sign(lab):
    """The likelihood has more symmetries than one."""
    copies = len(lab.model.equivalents(lab.theta0))
    return "" if copies > 2 else f"only {copies} parameter(s) have the same loss"


def something_hidden(lab):
    """The observations leave z open at the optimum: with nothing missing EM arrives there in one step."""
    # by the Hessian of the density; false rates differ from the true one by its square
    seen = 1.0 - lab.reference.curvature > EPS**0.5
    return "" if seen else "nothing is hidden at the optimum, but for rounding: EM arrives in one step"


def no_prior(lab):
    """The loss holds no conjugate prior."""
    return "the loss holds a conjugate prior already" if isinstance(lab.model, ConjugatePrior) else ""


def free_experts(lab):
    """The model is a mixture of K experts, none of them fixed."""
    if not isinstance(lab.model, MixtureOfExperts):
        return "the claim is about K experts"
    if lab.model.n_experts == 1:
        return "the claim is about several experts, and there is one"
    return "the experts are fixed already" if _experts_fixed(lab) else ""


def symmetric_experts(lab):
    """The model has two symmetric experts."""
    known = isinstance(lab.model, SymmetricModel)
    return "" if known else "the claim is about two symmetric experts"
