"""Units: features and target are standardised inside, parameters are reported in the user's units."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emmd.estimators.basis import ROUNDING, dominated, orthogonal_basis, weighted_median

_SMALLEST, _LARGEST = 1e-140, 1e140
"""Spreads whose squares, and those of their reciprocals, are representable."""

_SAME = 1e-7
"""Entries of a combination of size 1 that are smaller are rounding."""


@dataclass(frozen=True)
class Units:
    """The map between the user's features and target and the standardised ones.

    What experts see, and what the gate sees, is a basis of the span of their standardised columns, so that
    neither fit nor accuracy depends on the basis that the user has chosen. Where columns are linearly
    dependent, many coefficients give the same predictors; those that are reported have the least norm on the
    standardised columns, so that neither the units of the columns nor their order matters. A part with a
    ridge penalty, which is defined on these columns, or with fixed parameters sees the columns themselves.

    Attributes
    ----------
    n_features : int
        d, the user's columns.
    kept : ndarray of int
        Columns that experts or gate use.
    centre, scale : ndarray of shape (len(kept),)
        Mean (0 without intercept; the median of a column that one row dominates) and root mean square around
        it.
    intercept : bool
        Whether a column of ones is added at the end.
    expert, gate : ndarray of int
        Which of the kept columns the experts and the gate use.
    dropped : ndarray of int
        Columns that were asked for and are left out: all that varies in them, or that others do not make up,
        is rounding.
    expert_turn, gate_turn : ndarray or None
        Maps from the standardised columns that a part uses to the independent ones that it sees; None for the
        same. Coefficients of those are mapped back by the transpose.
    exposure : int or None
        The user's column of exposures; its log is the last column inside.
    y_centre, y_scale : float, or ndarray of shape (m,) for m targets
        0 and 1 for families whose target has no free unit.
    """

    n_features: int
    kept: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    intercept: bool
    expert: np.ndarray
    gate: np.ndarray
    dropped: np.ndarray
    expert_turn: Any = None
    gate_turn: Any = None
    exposure: int | None = None
    y_centre: Any = 0.0
    y_scale: Any = 1.0

    def _part(self, part):
        """Return the kept columns that a part uses and the map to what it sees."""
        return getattr(self, part), getattr(self, f"{part}_turn")

    @property
    def _shared(self):
        """Whether experts and gate see the same columns."""
        same = np.array_equal(self.expert, self.gate)
        return same and (self.expert_turn is None) == (self.gate_turn is None)

    def _seen(self, part):
        """Return the number of features inside that a part sees, without the intercept."""
        used, turn = self._part(part)
        return len(used) if turn is None else turn.shape[1]

    @property
    def width(self):
        """Number of features inside, without the intercept."""
        return self._seen("expert") + (0 if self._shared else self._seen("gate"))

    def columns(self, part):
        """Return the columns inside, the intercept's too, that ``expert`` or ``gate`` sees."""
        first = 0 if part == "expert" or self._shared else self._seen("expert")
        seen = range(first, first + self._seen(part))
        return [*seen, *([self.width] if self.intercept else [])]

    def dependent(self, part):
        """Return the columns whose coefficients the data do not tell, and whether they tell the intercept.

        They tell what is the same in all coefficients with the same predictors. Columns are the user's.
        """
        used, turn = self._part(part)
        if turn is None or turn.shape[0] == turn.shape[1]:
            return np.zeros(0, dtype=int), True
        same = np.linalg.qr(turn, mode="complete")[0][:, turn.shape[1] :]
        shifts = same * (self.centre[used] / self.scale[used])[:, None]
        told = np.abs(shifts.sum(axis=0)) <= _SAME * np.abs(shifts).sum(axis=0)
        return self.kept[used[(np.abs(same) > _SAME).any(axis=1)]], bool(told.all())

    def features(self, X):
        """Return the features inside, shape (n, width + intercept)."""
        standard = X if len(self.kept) == X.shape[1] else X[:, self.kept]
        standard = (standard - self.centre) / self.scale
        Z = np.ones((len(X), self.width + self.intercept + (self.exposure is not None)))
        if self.exposure is not None:
            Z[:, -1] = np.log(_positive(X[:, self.exposure], self.exposure))
        for part in ("expert",) if self._shared else ("expert", "gate"):
            used, turn = self._part(part)
            seen = standard if len(used) == len(self.kept) else standard[:, used]
            Z[:, self.columns(part)[: self._seen(part)]] = seen if turn is None else seen @ turn
        return Z

    @property
    def log_size(self):
        """What a log density of the standardised target is above that of the user's."""
        return float(np.log(self.y_scale).sum())

    def target(self, y):
        """Return the standardised target."""
        return (y - self.y_centre) / self.y_scale

    def back(self, values, part):
        """Return slopes, shape (..., d), and intercepts, (...), for coefficients of the features inside."""
        used, turn = self._part(part)
        inside = values[..., : self._seen(part)]
        slopes = np.zeros((*values.shape[:-1], self.n_features))
        slopes[..., self.kept[used]] = (inside if turn is None else inside @ turn.T) / self.scale[used]
        constant = values[..., -1] if self.intercept else np.zeros(values.shape[:-1])
        return slopes, constant - slopes[..., self.kept] @ self.centre

    def forward(self, slopes, constants, part):
        """Undo `back`; slopes of columns that the part does not use are lost.

        Of dependent columns any slopes will do that give the same predictors.
        """
        used, turn = self._part(part)
        slopes = slopes[..., self.kept[used]]
        values = slopes * self.scale[used]
        if turn is not None:
            across, root = np.linalg.qr(turn)
            values = np.linalg.solve(root, (values @ across)[..., None])[..., 0]
        if not self.intercept:
            return values
        return np.concatenate([values, (constants + slopes @ self.centre[used])[..., None]], axis=-1)


def _positive(exposures, column):
    """Return exposures, or raise a ValueError for the first that is not positive."""
    if not (exposures > 0).all():
        row = int(np.argmin(exposures > 0))
        raise ValueError(
            f"X must hold positive exposures in column {column}, got {exposures[row]:g} in row {row}"
        )
    return exposures


def feature_units(X, weights, intercept, expert, gate, as_they_are=(), names=None):
    """Return the `Units` of features.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)
        With sum 1.
    intercept : bool
    expert, gate : list of int
        The columns of X that experts and gate are to use.
    as_they_are : collection of str
        Those of ``expert`` and ``gate`` that see the standardised columns themselves.
    names : ndarray of str, optional
        Of the columns, for error messages.

    Raises
    ------
    ValueError
        When no column is left and there is no intercept, and for a column too large or too small.
    """
    asked = {"expert": expert, "gate": gate}
    centre, scale, rounding, last = _standard(X, weights, intercept)
    _require_sizes(scale, np.union1d(expert, gate).astype(int), names)
    Z = (X - centre) / np.where(scale > 0, scale, 1.0)
    used: dict[str, np.ndarray] = {}
    turns: dict[str, Any] = {}
    for part, columns in asked.items():
        varying = np.array([j for j in columns if scale[j] > 0], dtype=int)
        if part in as_they_are:
            used[part], turns[part] = varying, None
            continue
        if part == "gate" and columns == expert and "expert" not in as_they_are:
            used[part], turns[part] = used["expert"], turns["expert"]
            continue
        among = np.flatnonzero(np.isin(varying, last))
        kept, turns[part] = orthogonal_basis(Z[:, varying], weights, rounding[varying], among)
        used[part] = varying[kept]
    if not intercept and any(asked[part] and not len(used[part]) for part in asked):
        raise ValueError("X must have a column that is not zero when fit_intercept is False, got none")
    kept = np.union1d(used["expert"], used["gate"]).astype(int)
    dropped = np.union1d(*(np.setdiff1d(asked[part], used[part]) for part in asked)).astype(int)
    return Units(
        n_features=X.shape[1],
        kept=kept,
        centre=centre[kept],
        scale=scale[kept],
        intercept=intercept,
        expert=np.searchsorted(kept, used["expert"]),
        gate=np.searchsorted(kept, used["gate"]),
        dropped=dropped,
        expert_turn=turns["expert"],
        gate_turn=turns["gate"],
    )


def _standard(X, weights, intercept):
    """Return each column's centre, its scale (0 if constant), its rounding in that; those dominated."""
    largest = np.abs(X).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)
    # squares of what is at most 1 do not overflow
    U = X / unit
    centre = weights @ U if intercept else np.zeros(X.shape[1])
    scale, last = _spread(U, weights, centre), np.zeros(0, dtype=int)
    if intercept:
        last = dominated(U, weights, centre, scale)
        for j in last:
            centre[j] = weighted_median(U[:, j], weights)
        scale[last] = _spread(U[:, last], weights, centre[last])
    return centre * unit, scale * unit, ROUNDING / np.where(scale > 0, scale, 1.0), last


def _spread(U, weights, centre):
    spread = np.sqrt(np.einsum("n,nj,nj->j", weights, U - centre, U - centre))
    return np.where(spread > ROUNDING, spread, 0.0)


def _require_sizes(scale, columns, names):
    varying = columns[scale[columns] > 0]
    bad = varying[(scale[varying] < _SMALLEST) | (scale[varying] > _LARGEST)]
    if len(bad):
        label = bad[0] if names is None else repr(str(names[bad[0]]))
        raise ValueError(
            f"X must have columns that vary by 1e-140 to 1e140, got a spread of {scale[bad[0]]:.3g} "
            f"in column {label}; rescale it"
        )


def with_target_units(units, y, weights):
    """Return units in which y, or each of its columns, has variance 1, and mean 0 with an intercept."""
    if y.ndim == 2:
        each = [with_target_units(units, column, weights) for column in y.T]
        centres, scales = zip(*((one.y_centre, one.y_scale) for one in each))
        return replace(units, y_centre=np.array(centres), y_scale=np.array(scales))
    largest = float(np.abs(y).max()) or 1.0
    scaled = y / largest
    mean = float(weights @ scaled)
    spread = float(np.sqrt(weights @ (scaled - mean) ** 2))
    constant = spread <= 1e-12
    if not (constant or _SMALLEST < spread * largest < _LARGEST):
        raise ValueError(
            f"y must vary by 1e-140 to 1e140, got a spread of {spread * largest:.3g}; rescale it"
        )
    centre = mean * largest if units.intercept else 0.0
    return replace(units, y_centre=centre, y_scale=1.0 if constant else spread * largest)
