"""Assumptions of claims, as predicates that are evaluated: "" when one holds, else what fails."""


def regular_design(lab):
    """The features are linearly independent, so the M-step is unique."""
    columns = lab.model.dependent_columns(lab.problem.data)
    return f"columns {columns} of X are linearly dependent" if columns else ""


def strict_minimum(lab):
    """EM from the start reaches a strict local minimum, solved to 1e-13."""
    return lab.reference.reason


def linear_model_set(lab):
    """The natural parameter is affine in theta, so that no Bregman projection is needed."""
    if lab.model.linear_model_set:
        return ""
    return "the model set is curved: eta is not affine in theta, and the unprojected step leaves it"


def curved_model_set(lab):
    """The natural parameter is not affine in theta, so that a projection is needed."""
    return "the model set is linear: no projection is needed" if lab.model.linear_model_set else ""
