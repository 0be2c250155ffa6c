"""Canonical experts with many coefficients: the fit of `glm` without a Hessian of their number squared."""

import numpy as np
from scipy.linalg.lapack import dpotrs

from emmd.core.newton import cholesky
from emmd.core.newton_cg import newton_cg


class LargeFit:
    """Weighted maximum likelihood of one expert, as a function of its coefficients.

    Parameters
    ----------
    family : Family
        Canonical, with m linear predictors.
    design : Design
    statistics : ndarray of shape (n, m)
        T(y), or a mean of it.
    weights : ndarray of shape (n,)
    ridge : ndarray of shape (d,), optional
        Adds ``sum_j ridge_j coef_j^2 / 2`` for every linear predictor.

    Notes
    -----
    With V_i the covariance of T at row i the Hessian is ``E[w_i V_i (x) x_i x_i'] + I (x) diag(ridge)``.
    It is applied row by row. The preconditioner puts the mean of V_i in the place of V_i:
    in the eigenbasis of that mean it is one d x d matrix for each predictor, whatever the features' units.
    Products with the features are BLAS calls.
    """

    def __init__(self, family, design, statistics, weights, ridge):
        self.family, self.design = family, design
        self.XT = np.ascontiguousarray(design.X.T)
        self.mass = weights.sum()
        pull = np.zeros(design.n_features) if ridge is None else ridge
        self.weights, self.ridge = weights / self.mass, pull / self.mass
        self.target = np.ascontiguousarray(statistics.T)
        self.second_moment = design.gram(self.weights)

    def evaluate(self, flat):
        """Return value, gradient and the weighted covariances V_i, shape (m, m, n)."""
        coefficients = flat.reshape(len(self.target), -1)
        nu = (coefficients @ self.XT).T
        # an overflowing trial is refused by the safeguard, not by a warning
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.family.log_partition(nu) - np.einsum("sn,ns->n", self.target, nu)
            rest = self.family.mean(nu).T - self.target
            spread = self.weights * np.ascontiguousarray(self.family.variance(nu).transpose(1, 2, 0))
        pull = self.ridge * coefficients
        gradient = (self.weights * rest) @ self.XT.T + pull
        value = self.weights @ losses + 0.5 * np.sum(pull * coefficients)
        return value, gradient.ravel(), spread

    def product(self, spread, flat):
        """Return the Hessian times a vector."""
        direction = flat.reshape(len(self.target), -1)
        moved = np.einsum("jkn,kn->jn", spread, direction @ self.XT)
        return (moved @ self.XT.T + self.ridge * direction).ravel()

    def precondition(self, spread):
        """Return the inverse of ``mean(V) (x) E[w x x'] + I (x) diag(ridge)`` as a function."""
        values, basis = np.linalg.eigh(spread.sum(axis=2))
        outer = np.outer(self.design.scale, self.design.scale)
        scaled, ridge = self.second_moment / outer, np.diag(self.ridge / self.design.scale**2)
        factors = [cholesky(max(value, 1e-300) * scaled + ridge)[0] for value in values]

        def solve(flat):
            rotated = basis.T @ (flat.reshape(len(values), -1) / self.design.scale)
            solved = [dpotrs(factor, row, lower=1)[0] for factor, row in zip(factors, rotated)]
            return (basis @ np.array(solved) / self.design.scale).ravel()

        return solve


def large_fit(family, design, statistics, weights, start, ridge, value_at_zero):
    """Fit many coefficients exactly, with the arguments and the result of `canonical_fit`.

    Parameters
    ----------
    ridge : ndarray of shape (d,), optional
    value_at_zero : float
        Average loss at coefficients 0.
    """
    fit = LargeFit(family, design, statistics, weights, ridge)
    solved = newton_cg(
        fit.evaluate,
        fit.product,
        fit.precondition,
        start.ravel(),
        np.tile(design.scale, len(start)) * family.score_size(statistics, weights),
        value_at_zero,
    )
    return solved.x.reshape(start.shape), None, solved.residual, solved.curvature
