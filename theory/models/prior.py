"""What theory knows of models with a conjugate prior: the model's own, and what the prior adds."""

import numpy as np

from emmd.theory.models import known


def slope_rounding(model, data, theta):
    """Add the prior's terms: mean statistics here and at the centre, through the derivative of eta."""
    inner, nu = model.model, model.strength
    terms, carried = known.slope_rounding(inner, data.data, theta)
    rows = inner.predictor_rows(data.data, theta)
    eta, jacobian = inner.natural_parameters(data.data, rows), np.abs(inner.natural_jacobian(data.data, rows))
    sizes = np.abs(inner.mean_statistics(eta)) + np.abs(data.mean)
    own, own_carried = (
        np.einsum("ndb,nd->nb", jacobian, each) for each in (sizes, _statistics_rounding(model, data, theta))
    )
    return terms + nu * own, carried + nu * own_carried


def _statistics_rounding(model, data, theta):
    """Return bounds of the errors of mean statistics, here and at the centre together, shape (n, D)."""
    return sum(known.natural_rounding(model.model, data.data, point)[1] for point in (theta, model.centre))


def natural_rounding(model, data, theta):
    """Bound the rounding errors of eta and of the gradient with the prior's part, both (n, D)."""
    eta, slope = known.natural_rounding(model.model, data.data, theta)
    return eta, slope + model.strength * _statistics_rounding(model, data, theta)


def absolute_pull_back(model, data, slopes):
    """Return the model's."""
    return known.absolute_pull_back(model.model, data.data, slopes)


def tempered(model, data, theta, evidence):
    """Return the model's."""
    return known.tempered(model.model, data.data, theta, evidence)
