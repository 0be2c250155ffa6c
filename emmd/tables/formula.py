"""Formulas such as ``y ~ x + C(site) | x``: the target, what the experts see and, after the bar, the gate."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.core.checks import describe, instance

_INTERCEPT = "Intercept"


@dataclass(frozen=True)
class Design:
    """What a formula makes of a table.

    Attributes
    ----------
    X : pandas.DataFrame of shape (n, d)
        Every column of experts or gate once, named as formulaic names them.
    y : ndarray of shape (n,)
    options : dict
        ``expert_features``, ``gate_features`` and ``fit_intercept`` for an estimator's constructor.
    """

    X: Any
    y: np.ndarray
    options: dict
    _spec: Any

    def transform(self, data: Any) -> Any:
        """Return the columns of `X` for another table, which needs no target.

        Parameters
        ----------
        data : pandas.DataFrame
        """
        parts = [spec.get_model_matrix(data) for spec in self._spec]
        return _joined(parts)[list(self.X.columns)]


def formula_design(formula: str, data: Any) -> Design:
    """Return features and target that a formula makes of a table (needs formulaic, extra ``formula``).

    Parameters
    ----------
    formula : str
        ``target ~ terms of the experts | terms of the gate``; without a bar the gate sees what the experts
        see. Text columns become indicators against their first category. What stands in it is evaluated as
        Python: take formulas from people whom you trust.
    data : pandas.DataFrame

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        For a formula that does not parse, has no target or more than two parts, or columns that are missing.

    Examples
    --------
    >>> import pandas as pd, emmd
    >>> table = pd.DataFrame({"y": [1.0, 2.0, 3.0], "x": [0.0, 1.0, 5.0], "site": ["a", "b", "a"]})
    >>> design = emmd.formula_design("y ~ x + site | x", table)
    >>> list(design.X.columns), design.options["gate_features"]
    (['x', 'site[T.b]'], ['x'])
    """
    from pandas import DataFrame

    instance("formula", formula, str, "text")
    instance("data", data, DataFrame, "a pandas.DataFrame")
    targets, parts = _matrices(formula, data)
    if len(parts) > 2:
        raise ValueError(
            f"formula must have one bar at most, between experts and gate, got {describe(formula)}"
        )
    if targets is None or targets.shape[1] != 1:
        raise ValueError(f"formula must have one target of numbers before ~, got {describe(formula)}")
    intercepts = {_INTERCEPT in part.columns for part in parts}
    if len(intercepts) > 1:
        raise ValueError(
            f"formula must have an intercept for experts and gate, or for neither, got {describe(formula)}"
        )
    seen = [[str(name) for name in part.columns if name != _INTERCEPT] for part in parts]
    if not all(seen):
        raise ValueError(
            f"formula must give experts and gate a feature each (a gate of none is gate='constant'), "
            f"got {describe(formula)}"
        )
    options = {"expert_features": seen[0], "gate_features": seen[-1], "fit_intercept": intercepts == {True}}
    y = np.asarray(targets, dtype=float)[:, 0]
    return Design(_joined(parts), y, options, tuple(part.model_spec for part in parts))


def _joined(parts):
    """Return the columns of all parts once, without the intercept."""
    from pandas import DataFrame

    columns = {str(name): part[name] for part in parts for name in part.columns if name != _INTERCEPT}
    return DataFrame({name: np.asarray(column, dtype=float) for name, column in columns.items()})


def _matrices(formula, data):
    """Return the target's matrix or None, and those of the parts; one sentence for what formulaic raises."""
    try:
        from formulaic import Formula
    except ImportError:
        raise ModuleNotFoundError("formulas need formulaic: pip install 'emmd[formula]'") from None
    try:
        found = Formula(formula).get_model_matrix(data, na_action="raise")
    except Exception as error:  # formulaic passes on whatever its factors raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"formula must fit data, got {describe(formula)}: {reason}") from error
    right = getattr(found, "rhs", found)
    return getattr(found, "lhs", None), list(right) if isinstance(right, tuple) else [right]
