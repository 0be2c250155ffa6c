"""Maximum likelihood of one expert with any link, and a dispersion of its own: Newton on all predictors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.fits.glm import split_derivatives
from emmd.fits.newton import newton_by_values

_SCAN = np.linspace(-12.0, 12.0, 25)
_quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
"""An overflowing trial is refused by the safeguard, not by a warning."""


def _predictors(rows, family, point):
    """Return the expert's predictors, shape (n, q), for (coefficients, dispersion predictor if free)."""
    m, d = family.n_linear, rows.design.n_features
    columns = [rows.design.predict(row) for row in point[: m * d].reshape(m, d)]
    if family.dispersion == "free":
        columns.append(np.full(rows.design.n_rows, point[-1]))
    return np.column_stack(columns)


@_quiet
def _values(rows, family, points):
    """Return the weighted loss at each point, up to what does not depend on it."""
    values = []
    for point in points:
        nu = family.natural(_predictors(rows, family, point))
        losses = family.log_partition(nu) - np.einsum("ns,ns->n", rows.statistics, nu)
        values.append(rows.weights @ losses)
    return np.array(values)


@_quiet
def _derivatives(rows, family, point):
    """Return the weighted loss, its gradient and its Hessian, flat."""
    xi = _predictors(rows, family, point)
    slopes = -rows.weights * family.score_at(rows.statistics, xi).T
    curvature = rows.weights[:, None, None] * family.curvature_at(rows.statistics, xi)
    q, m = curvature.shape[1], family.n_linear
    moments = [
        rows.design.moment(slope) if k < m else slope.sum(keepdims=True) for k, slope in enumerate(slopes)
    ]
    blocks = [[_block(rows.design, m, j, k, curvature[:, j, k]) for k in range(q)] for j in range(q)]
    return np.concatenate([_values(rows, family, [point]), *moments, np.block(blocks).ravel()])


def _block(design, m, j, k, values):
    if j >= m and k >= m:
        return np.array([[values.sum()]])
    values = np.ascontiguousarray(values)
    if j < m and k < m:
        return design.gram(values)
    moment = design.moment(values)
    return moment[:, None] if j < m else moment[None, :]


@dataclass(frozen=True)
class _Penalty:
    """The ridge of one expert as a function of (coefficients, dispersion predictor if free)."""

    family: Any
    pull: np.ndarray

    @_quiet
    def precision(self, point):
        """Return what multiplies the ridge."""
        return float(self.family.precision(point[-1:] if self.family.dispersion == "free" else None)[0])

    def squares(self, point):
        """Return the ridge's sum of squares."""
        return self.pull @ point[: len(self.pull)] ** 2

    def value(self, point):
        """Return the penalty."""
        return 0.5 * self.precision(point) * self.squares(point) if self.pull.any() else 0.0

    def add(self, point, gradient, hessian):
        """Add its derivatives."""
        pull, slope, tau = self.pull, self.family.precision_slope, self.precision(point)
        part = slice(0, len(pull))
        gradient[part] += tau * pull * point[part]
        hessian[part, part] += tau * np.diag(pull)
        if self.family.dispersion == "free":
            cross = slope * tau * pull * point[part]
            gradient[-1] += 0.5 * slope * tau * self.squares(point)
            hessian[part, -1] += cross
            hessian[-1, part] += cross
            hessian[-1, -1] += 0.5 * slope**2 * tau * self.squares(point)


def linked_fit(family, rows, start, ridge=None):
    """Fit the coefficients of one expert, and its dispersion where it is free.

    Parameters
    ----------
    family : Family
        With any `natural`; ``dispersion`` is ``none`` or ``free``.
    rows, start, ridge
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
            f"family {family.name} must write fit itself: its dispersion is shared by the experts"
        )
    free, point = family.dispersion == "free", start.ravel()
    penalty = _Penalty(
        family, np.zeros(start.size) if ridge is None else np.tile(ridge / rows.mass, len(start))
    )

    def evaluate(point):
        total = rows.add_up(_derivatives, family, point) / rows.mass
        value, gradient, hessian = split_derivatives(total, len(point))
        if penalty.pull.any():
            penalty.add(point, gradient, hessian)
        return value + penalty.value(point), gradient, hessian

    scale = np.tile(rows.design.scale, len(start)) * family.score_size(rows)
    if free:
        # the dispersion of the last iterate is not at hand: the best of a coarse scan is near enough
        points = [np.append(point, rho) for rho in _SCAN]
        losses = rows.add_up(_values, family, points) / rows.mass + [penalty.value(trial) for trial in points]
        best = _SCAN[np.argmin(np.where(np.isfinite(losses), losses, np.inf))]
        point, scale = np.append(point, best), np.append(scale, 1.0)
    solved = newton_by_values(evaluate, point, scale)
    coefficients = solved.x[: start.size].reshape(start.shape)
    return coefficients, float(solved.x[-1]) if free else None, solved.residual, solved.curvature
