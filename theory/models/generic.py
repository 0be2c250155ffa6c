"""What theory assumes of any model: rounding errors of first order, from the functions that define it.

Errors of A, A_y and eta are taken to be a few units of the terms that are known to be added up; what happens
inside the user's functions is not seen.
"""

import numpy as np

_UNITS = 8.0


def natural_rounding(model, data, theta):
    """Bound the rounding errors of eta, and of grad l(eta) with what eta's own errors carry, both (n, D)."""
    rows = model.predictor_rows(data, theta)
    eta, jacobian = model.natural_parameters(data, rows), np.abs(model.natural_jacobian(data, rows))
    of_eta = _UNITS * (np.abs(eta) + np.einsum("ndb,nb->nd", jacobian, np.abs(rows)))
    sizes = np.abs(model.mean_statistics(eta)) + np.abs(model.posterior_statistics(data, eta))
    curved = np.abs(model.covariance(eta)) + np.abs(model.posterior_covariance(data, eta))
    # a sum of exponentials knows each of its shares as well as it knows the exponents
    depth = 1.0 + np.abs(model.log_partition(eta)) + np.abs(model.log_numerator(data, eta))
    return of_eta, _UNITS * depth[:, None] * sizes + np.einsum("nde,ne->nd", curved, of_eta)


def slope_rounding(model, data, theta):
    """Bound the rounding errors of each row's slopes, see `emmd.theory.models.known.slope_rounding`."""
    rows = model.predictor_rows(data, theta)
    eta, jacobian = model.natural_parameters(data, rows), np.abs(model.natural_jacobian(data, rows))
    sizes = np.abs(model.mean_statistics(eta)) + np.abs(model.posterior_statistics(data, eta))
    _, of_slope = natural_rounding(model, data, theta)
    terms, carried = (np.einsum("nd,ndb->nb", each, jacobian) for each in (sizes, of_slope))
    return terms, carried


def absolute_pull_back(model, data, slopes):
    """Return the pull-back of slopes that are not negative with the moduli of the predictors' derivatives."""
    zero = model.predictor_rows(data, np.zeros(model.n_params))
    columns = [np.abs(model.predictor_rows(data, e) - zero) for e in np.eye(model.n_params)]
    return np.array([(slopes * column).sum() for column in columns])


def divergence_rounding(model, data, u, v, divergence):
    """Return None: D_A is added up from terms of the size of the losses."""
    return


def tempered(model, data, theta, evidence):
    """Return statistics that are only a share of the way from the prior's means to the posterior's."""
    eta = model.natural_parameters(data, model.predictor_rows(data, theta))
    mean = model.mean_statistics(eta)
    return mean + evidence * (model.posterior_statistics(data, eta) - mean)
