"""Units: features and target are standardised inside, parameters are reported in the user's units."""

from dataclasses import dataclass, replace

import numpy as np

_DEPENDENT = 1e-10
_LEAST, _LARGEST = 1e-145, 1e150


@dataclass(frozen=True)
class Units:
    """The map between the user's features and target and the standardised ones.

    Attributes
    ----------
    n_features : int
        d, the user's columns.
    kept : ndarray of int
        Columns that experts or gate use.
    centre, scale : ndarray of shape (len(kept),)
        Mean (0 without intercept) and root mean square around it.
    intercept : bool
        Whether a column of ones is added at the end.
    expert, gate : ndarray of int
        Which of the kept columns the experts and the gate use.
    dropped : ndarray of int
        Columns that were asked for and are left out because earlier ones make them up.
    y_centre, y_scale : float
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
    y_centre: float = 0.0
    y_scale: float = 1.0

    def columns(self, part):
        """Return the standardised columns, the intercept's too, that ``expert`` or ``gate`` uses."""
        return [*map(int, getattr(self, part)), *([len(self.kept)] if self.intercept else [])]

    def features(self, X):
        """Return standardised features, shape (n, len(kept) + intercept)."""
        Z = np.ones((len(X), len(self.kept) + self.intercept))
        columns = Z[:, : len(self.kept)]
        np.subtract(X if len(self.kept) == X.shape[1] else X[:, self.kept], self.centre, out=columns)
        columns /= self.scale
        return Z

    def target(self, y):
        """Return the standardised target."""
        return (y - self.y_centre) / self.y_scale

    def back(self, values, part):
        """Return slopes, shape (..., d), and intercepts, (...), for coefficients of standardised features."""
        used = getattr(self, part)
        slopes = np.zeros((*values.shape[:-1], self.n_features))
        slopes[..., self.kept[used]] = values[..., : len(used)] / self.scale[used]
        constant = values[..., -1] if self.intercept else np.zeros(values.shape[:-1])
        return slopes, constant - slopes[..., self.kept] @ self.centre

    def forward(self, slopes, constants, part):
        """Undo `back`; slopes of columns that the part does not use are lost."""
        used = getattr(self, part)
        slopes = slopes[..., self.kept[used]]
        values = slopes * self.scale[used]
        if not self.intercept:
            return values
        return np.concatenate([values, (constants + slopes @ self.centre[used])[..., None]], axis=-1)

    def back_deviations(self, covariance, part):
        """Return the standard deviations that `back` makes of a covariance of coefficients."""
        slopes, constants = self.back(np.eye(len(covariance)), part)
        maps = np.column_stack([slopes, constants])
        return np.sqrt(np.maximum(np.einsum("aj,ab,bj->j", maps, covariance, maps), 0.0))

    def constant_deviation(self, covariance):
        """Return the same for a constant: no slopes, and the deviation of the constant itself."""
        return np.append(np.zeros(self.n_features), np.sqrt(covariance[0, 0]))


def feature_units(X, weights, intercept, expert, gate):
    """Return the `Units` of features.

    Parameters
    ----------
    X : ndarray of shape (n, d)
    weights : ndarray of shape (n,)
        With sum 1.
    intercept : bool
    expert, gate : list of int
        The columns of X that experts and gate are to use.

    Raises
    ------
    ValueError
        When no column is left and there is no intercept.
    """
    d = X.shape[1]
    everything, none = np.arange(d), np.zeros(0, dtype=int)
    centre = weights @ X if intercept else np.zeros(d)
    whole = Units(d, everything, centre, np.ones(d), False, everything, everything, none)
    scale, gram = _spread(whole.features(X), weights, 1e-12 * np.abs(X).max(axis=0))
    parts = [_independent(gram, columns, scale > 0) for columns in (expert, gate)]
    if not intercept and any(len(columns) and not len(part) for columns, part in zip((expert, gate), parts)):
        raise ValueError("X must have a column that is not zero when fit_intercept is False, got none")
    kept = np.union1d(*parts).astype(int)
    expert_used, gate_used = (np.searchsorted(kept, part) for part in parts)
    lost = [np.setdiff1d(columns, part) for columns, part in zip((expert, gate), parts)]
    dropped = np.union1d(*lost).astype(int)
    return Units(d, kept, centre[kept], scale[kept], intercept, expert_used, gate_used, dropped)


def _require_squares(name, rest, rounding):
    """Raise a ValueError where squares of distances from a mean, so variances, are no numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.atleast_1d(np.abs(rest).max(axis=0))
    bad = ~((largest <= rounding) | ((largest >= _LEAST) & (largest <= _LARGEST)))
    if bad.any():
        raise ValueError(
            f"{name} must lie {_LEAST:g} to {_LARGEST:g} from its mean at most, for squares to be numbers, "
            f"got {largest[bad][0]:.3g}; rescale it"
        )


def _spread(Z, weights, rounding):
    """Return the columns' root mean squares and the second moment of the scaled columns."""
    _require_squares("X", Z, rounding)
    scale = np.sqrt(np.einsum("n,nj,nj->j", weights, Z, Z))
    scale[scale <= rounding] = 0.0
    Z /= np.where(scale > 0, scale, 1.0)
    return scale, Z.T @ (weights[:, None] * Z)


def _independent(gram, columns, varies):
    """Return those of the columns that are not in the span of those before them: in order, without ties."""
    kept, rest = [], gram.copy()
    for j in columns:
        if varies[j] and rest[j, j] > _DEPENDENT:
            kept.append(j)
            rest -= np.outer(rest[:, j], rest[j] / rest[j, j])
    return np.array(kept, dtype=int)


def with_target_units(units, y, weights):
    """Return units in which y has variance 1, and mean 0 when there is an intercept."""
    mean = float(weights @ y)
    centre = mean if units.intercept else 0.0
    rounding = 1e-12 * np.abs(y).max()
    _require_squares("y", y - mean, rounding)
    spread = float(np.sqrt(weights @ (y - mean) ** 2))
    constant = spread <= rounding
    return replace(units, y_centre=centre, y_scale=1.0 if constant else spread)
