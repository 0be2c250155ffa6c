"""What theory assumes of any model: rounding errors of first order, from the functions that define it.

Errors of A, A_y and eta are taken to be a few units of the terms that are known to be added up. What happens
inside the user's functions is measured: by how much they change where what they are given is rounded.
"""

import numpy as np

from emmd.core.numerics.rounding import EPS
from emmd.core.numerics.sizes import SAFETY, UNITS, rounded_natural


def natural_rounding(model, data, theta):
    """Bound the rounding errors of eta, and of grad l(eta) with what eta's own errors carry, both (n, D)."""
    at = _At(model, data, theta)
    curved = np.abs(model.covariance(at.eta)) + np.abs(model.posterior_covariance(data, at.eta))
    changes = [np.abs(mean) + np.abs(posterior) for mean, posterior in at.changes()]
    carried = np.einsum("nde,ne->nd", curved, at.of_eta)
    return at.of_eta, UNITS * at.sizes + carried + SAFETY * np.max(changes, axis=0) / EPS


def slope_rounding(model, data, theta):
    """Bound the rounding errors of each row's slopes, see `emmd.theory.models.known.slope_rounding`.

    What errors of eta do to statistics is pulled back with its signs: means and squares that are known
    together cancel there.
    """
    at = _At(model, data, theta)
    curvatures = model.covariance(at.eta), model.posterior_covariance(data, at.eta)
    # second derivatives are symmetric
    carried = sum(np.abs(_products(each, at.jacobian)) for each in curvatures)
    changes = [sum(np.abs(at.pulled(each)) for each in both) for both in at.changes()]
    terms = np.einsum("nd,ndb->nb", at.sizes, np.abs(at.jacobian))
    rest = np.einsum("neb,ne->nb", carried, at.of_eta) + SAFETY * np.max(changes, axis=0) / EPS
    return terms, UNITS * terms + rest


def _products(first, second):
    """Return the rows' matrix products; where all rows are one array they are taken once."""
    if first.strides[0] == second.strides[0] == 0:
        return np.broadcast_to(first[0] @ second[0], (*first.shape[:2], second.shape[2]))
    # one matrix for all rows makes one large product of many small ones
    return first @ (second[0] if second.strides[0] == 0 else second)


class _At:
    """What the bounds at one parameter share.

    Attributes
    ----------
    eta, sizes, of_eta : ndarray of shape (n, D)
        Natural parameters, |grad A| + |grad A_y|, and bounds of the errors of eta in units of the machine
        precision.
    jacobian : ndarray of shape (n, D, B)
    """

    def __init__(self, model, data, theta):
        self.model, self.data, self.theta = model, data, theta
        rows = model.predictor_rows(data, theta)
        self.eta, self.jacobian = model.natural_parameters(data, rows), model.natural_jacobian(data, rows)
        self.mean, self.posterior = (
            model.mean_statistics(self.eta),
            model.posterior_statistics(data, self.eta),
        )
        self.sizes = np.abs(self.mean) + np.abs(self.posterior)
        conditions = np.einsum("ndb,nb->nd", np.abs(self.jacobian), np.abs(rows))
        self.of_eta = UNITS * (np.abs(self.eta) + conditions)

    def changes(self):
        """Yield by how much both statistics change where eta is rounded, arrays of shape (n, D)."""
        for eta in rounded_natural(self.model, self.data, self.theta):
            mean, posterior = self.model.mean_statistics(eta), self.model.posterior_statistics(self.data, eta)
            yield mean - self.mean, posterior - self.posterior

    def pulled(self, change):
        """Return J' change, shape (n, B)."""
        return np.einsum("nd,ndb->nb", change, self.jacobian)


def absolute_pull_back(model, data, slopes):
    """Return the pull-back of slopes that are not negative with the moduli of the predictors' derivatives."""
    zero = model.predictor_rows(data, np.zeros(model.n_params))
    columns = [np.abs(model.predictor_rows(data, e) - zero) for e in np.eye(model.n_params)]
    return np.array([(slopes * column).sum() for column in columns])


def divergence_rounding(problem, u, v, divergence):
    """Return None: D_A is added up from terms of the size of the losses."""
    return


def posterior_rounding(problem, u, v):
    """Return None: so is the posterior divergence."""
    return


def tempered(model, data, theta, evidence):
    """Return statistics that are only a share of the way from the prior's means to the posterior's."""
    eta = model.natural_parameters(data, model.predictor_rows(data, theta))
    mean = model.mean_statistics(eta)
    return mean + evidence * (model.posterior_statistics(data, eta) - mean)
