"""Maximum likelihood of one expert with any link, and a dispersion of its own: Newton on all predictors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.newton import newton

_SCAN = np.linspace(-12.0, 12.0, 25)
_quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""An overflowing trial is refused by the safeguard, not by a warning."""


@dataclass(frozen=True)
class _LinkedFit:
    """The weighted loss of one expert as a function of (coefficients, dispersion predictor if free)."""

    family: Any
    design: Any
    statistics: np.ndarray
    weights: np.ndarray
    ridge: np.ndarray

    @property
    def free(self):
        """Whether the last entry is a dispersion predictor."""
        return self.family.dispersion == "free"

    def predictors(self, point):
        """Return the expert's predictors, shape (n, q)."""
        m, d = self.family.n_linear, self.design.n_features
        columns = [self.design.predict(row) for row in point[: m * d].reshape(m, d)]
        if self.free:
            columns.append(np.full(self.design.n_rows, point[-1]))
        return np.column_stack(columns)

    @_quiet
    def value(self, point):
        """Return the loss, up to what does not depend on the point."""
        nu = self.family.natural(self.predictors(point))
        losses = self.family.log_partition(nu) - np.einsum("ns,ns->n", self.statistics, nu)
        return self.weights @ losses + 0.5 * self.precision(point) * self.squares(point)

    def precision(self, point):
        """Return what multiplies the ridge."""
        return float(self.family.precision(point[-1:] if self.free else None)[0])

    def squares(self, point):
        """Return the ridge's sum of squares."""
        return self.pull() @ point[: self.family.n_linear * self.design.n_features] ** 2

    def pull(self):
        """Return the ridge of every coefficient."""
        return np.tile(self.ridge, self.family.n_linear)

    @_quiet
    def evaluate(self, point):
        """Return value, gradient and Hessian."""
        xi = self.predictors(point)
        slopes = -self.weights * self.family.score_at(self.statistics, xi).T
        curvature = self.weights[:, None, None] * self.family.curvature_at(self.statistics, xi)
        gradient = np.concatenate([self._moment(k, slope) for k, slope in enumerate(slopes)])
        return self.value(point), *self._with_ridge(point, gradient, self._hessian(curvature))

    def _moment(self, k, values):
        return self.design.moment(values) if k < self.family.n_linear else np.array([values.sum()])

    def _hessian(self, curvature):
        q = curvature.shape[1]
        return np.block([[self._block(j, k, curvature[:, j, k]) for k in range(q)] for j in range(q)])

    def _block(self, j, k, values):
        m = self.family.n_linear
        if j < m and k < m:
            return self.design.gram(np.ascontiguousarray(values))
        if j >= m and k >= m:
            return np.array([[values.sum()]])
        moment = self.design.moment(np.ascontiguousarray(values))
        return moment[:, None] if j < m else moment[None, :]

    def _with_ridge(self, point, gradient, hessian):
        pull, slope, tau = self.pull(), self.family.precision_slope, self.precision(point)
        if not pull.any():
            return gradient, hessian
        part = slice(0, len(pull))
        gradient[part] += tau * pull * point[part]
        hessian[part, part] += tau * np.diag(pull)
        if self.free:
            cross = slope * tau * pull * point[part]
            gradient[-1] += 0.5 * slope * tau * self.squares(point)
            hessian[part, -1] += cross
            hessian[-1, part] += cross
            hessian[-1, -1] += 0.5 * slope**2 * tau * self.squares(point)
        return gradient, hessian


def linked_fit(family, design, statistics, weights, start, ridge=None):
    """Fit the coefficients of one expert, and its dispersion where it is free.

    Parameters
    ----------
    family : Family
        With any `natural`; ``dispersion`` is ``none`` or ``free``.
    design, statistics, weights, start, ridge
        As in `emmd.core.glm.canonical_fit`.

    Returns
    -------
    coefficients, dispersion, residual, curvature
        See `Family.fit`.

    Raises
    ------
    TypeError
        For a dispersion that the experts share: no expert alone can say what it is.
    """
    if family.dispersion == "shared":
        raise TypeError(
            f"family {family.name} must write fit_statistics itself: its dispersion is shared by the experts"
        )
    mass = weights.sum()
    pull = np.zeros(design.n_features) if ridge is None else ridge / mass
    fit = _LinkedFit(family, design, statistics, weights / mass, pull)
    scale = np.tile(design.scale, family.n_linear) * family.score_size(statistics, weights)
    point = start.ravel()
    if fit.free:
        # the dispersion of the last iterate is not at hand: the best of a coarse scan is near enough
        losses = np.array([fit.value(np.append(point, rho)) for rho in _SCAN])
        best = _SCAN[np.argmin(np.where(np.isfinite(losses), losses, np.inf))]
        point, scale = np.append(point, best), np.append(scale, 1.0)
    solved = newton(fit.evaluate, point, scale)
    coefficients = solved.x[: start.size].reshape(start.shape)
    dispersion = float(solved.x[-1]) if fit.free else None
    return coefficients, dispersion, solved.residual, solved.curvature
