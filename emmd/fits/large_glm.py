"""Canonical experts with many coefficients: the fit of `glm` without a Hessian of their number squared."""

import numpy as np
from scipy.linalg.lapack import dpotrs

from emmd.fits.newton import damped_cholesky
from emmd.fits.newton_cg import newton_cg
from emmd.rows.weighted_rows import gram


def _transposed_features(rows):
    if "XT" not in rows.kept:
        rows.kept["XT"] = np.ascontiguousarray(rows.design.X.T)
    return rows.kept["XT"]


def _natural(rows, coefficients):
    return (coefficients @ _transposed_features(rows)).T


def _spread(rows, family, coefficients, nu=None):
    """Return the weighted covariances of T, shape (m, m, n), those of the last point if it is the same."""
    at, spread = rows.kept.get("spread", (None, None))
    if not np.array_equal(at, coefficients):
        nu = _natural(rows, coefficients) if nu is None else nu
        spread = rows.weights * np.ascontiguousarray(family.variance(nu).transpose(1, 2, 0))
        rows.kept["spread"] = coefficients.copy(), spread
    return spread


def _sums(rows, family, coefficients):
    """Return the weighted loss, its gradient and the sum of the covariances, flat."""
    nu = _natural(rows, coefficients)
    # an overflowing trial is refused by the safeguard, not by a warning
    with np.errstate(over="ignore", invalid="ignore"):
        losses = family.log_partition(nu) - np.einsum("ns,ns->n", rows.statistics, nu)
        rest = np.ascontiguousarray((family.mean(nu) - rows.statistics).T)
        spread = _spread(rows, family, coefficients, nu)
    gradient = (rows.weights * rest) @ _transposed_features(rows).T
    return np.concatenate([[rows.weights @ losses], gradient.ravel(), spread.sum(axis=2).ravel()])


def _product(rows, family, coefficients, direction):
    """Return the Hessian at `coefficients` times a direction, both of shape (m, d)."""
    XT = _transposed_features(rows)
    product = np.einsum("jkn,kn->jn", _spread(rows, family, coefficients), direction @ XT)
    return product @ XT.T


class LargeFit:
    """Weighted maximum likelihood of one expert, as a function of its coefficients.

    Parameters
    ----------
    family : Family
        Canonical, with m linear predictors.
    rows : RowSums
    ridge : ndarray of shape (d,), optional
        Adds ``sum_j ridge_j coef_j^2 / 2`` for every linear predictor.

    Notes
    -----
    With V_i the covariance of T at row i the Hessian is ``E[w_i V_i (x) x_i x_i'] + I (x) diag(ridge)``.
    It is applied row by row. The preconditioner puts the mean of V_i in the place of V_i:
    in the eigenbasis of that mean it is one d x d matrix for each predictor, whatever the features' units.
    Products with the features are BLAS calls.
    """

    def __init__(self, family, rows, ridge):
        self.family, self.rows = family, rows
        self.shape = family.n_linear, rows.design.n_features
        self.ridge = (np.zeros(self.shape[1]) if ridge is None else ridge) / rows.mass
        self.second_moment = rows.add_up(gram) / rows.mass

    def evaluate(self, flat):
        """Return value, gradient and, as the state of `product`, the point and the mean of V_i, (m, m)."""
        coefficients = flat.reshape(self.shape)
        total = self.rows.add_up(_sums, self.family, coefficients) / self.rows.mass
        value, gradient, spread = np.split(total, [1, 1 + flat.size])
        pull = self.ridge * coefficients
        state = coefficients, spread.reshape(len(coefficients), -1)
        return value[0] + 0.5 * np.sum(pull * coefficients), gradient + pull.ravel(), state

    def product(self, state, flat):
        """Return the Hessian times a vector."""
        direction = flat.reshape(self.shape)
        product = self.rows.add_up(_product, self.family, state[0], direction) / self.rows.mass
        return (product + self.ridge * direction).ravel()

    def precondition(self, state):
        """Return the inverse of ``mean(V) (x) E[w x x'] + I (x) diag(ridge)`` as a function."""
        values, basis = np.linalg.eigh(state[1])
        scale = self.rows.design.scale
        scaled, ridge = self.second_moment / np.outer(scale, scale), np.diag(self.ridge / scale**2)
        factors = [damped_cholesky(max(value, 1e-300) * scaled + ridge)[0] for value in values]

        def solve(flat):
            rotated = basis.T @ (flat.reshape(self.shape) / scale)
            solved = [dpotrs(factor, row, lower=1)[0] for factor, row in zip(factors, rotated)]
            return (basis @ np.array(solved) / scale).ravel()

        return solve


def large_fit(family, rows, start, ridge, value_at_zero, size):
    """Fit many coefficients exactly, with the arguments and the result of `canonical_fit`.

    Parameters
    ----------
    ridge : ndarray of shape (d,), optional
    value_at_zero : float
        Average loss at coefficients 0.
    size : float
        Of the score's terms.
    """
    fit = LargeFit(family, rows, ridge)
    scale = np.tile(rows.design.scale, len(start)) * size
    solved = newton_cg(fit.evaluate, fit.product, fit.precondition, start.ravel(), scale, value_at_zero)
    return solved.x.reshape(start.shape), None, solved.residual, solved.curvature
