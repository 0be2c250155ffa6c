"""A fit's parameters as rows of a table: the part they belong to, and the term, as the user calls it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

INTERCEPT = "intercept"
ESTIMATED, FIXED, LEFT_OUT, REFERENCE = "", "fixed", "left out", "reference"
LEAST_NORM = "minimum norm"
"""What is said about a parameter: nothing where the data tell it."""


@dataclass(frozen=True)
class Term:
    """One parameter of a fitted mixture, in the user's units.

    Attributes
    ----------
    part : str
        ``expert 1``, ``expert 1, class a``, ``gate 1``, or ``experts`` for what they share.
    term : str
        Name of a feature, ``intercept``, or the name of the dispersion.
    attribute : str
        Name of the fitted attribute without the underscore.
    where : tuple of int
        Its place there.
    remark : str
        Empty, ``fixed``, ``left out`` (of a column that is constant or not used), ``reference`` (the gate to
        which the others are relative) or ``minimum norm``: columns are linearly dependent, and of all
        coefficients with the same predictions those of least norm are estimated.
    positive : bool
        Whether it is a variance or the like, whose interval is made on the scale of its logarithm.
    """

    part: str
    term: str
    attribute: str
    where: tuple
    remark: str
    positive: bool = False

    @property
    def estimated(self) -> bool:
        """Whether it depends on the data."""
        return self.remark in (ESTIMATED, LEAST_NORM)


def feature_names(estimator: Any) -> list[str]:
    """Return the names of the features: those of fit's table, else x0, x1, ..."""
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{j}" for j in range(estimator.n_features_in_)] if names is None else [str(n) for n in names]


def terms(estimator: Any) -> list[Term]:
    """Return the parameters of a fitted estimator, expert by expert, then the gate."""
    model, units = estimator._model, estimator._units
    names, K = feature_names(estimator), model.n_experts
    rows, remarks = [], _remarks(units, "expert")
    for k in range(K):
        for part, where in _logits(estimator, k):
            rows += _linear(part, "coef", "intercept", where, names, remarks, model, units)
        if model.family.dispersion == "free":
            rows += _dispersion(estimator, f"expert {k + 1}", k)
    if model.family.dispersion == "shared":
        rows += _dispersion(estimator, "experts", 0)
    names, remarks = (names, _remarks(units, "gate")) if model.gate.sees_features else ([], {})
    for k in range(K - 1):
        rows += _linear(
            f"gate {k + 1}", "gate_coef", "gate_intercept", (k,), names, remarks, model, units, "gate"
        )
    if K > 1:
        rows.append(Term(f"gate {K}", "", "gate_intercept", (K - 1,), REFERENCE))
    return rows


def _logits(estimator, k):
    """Return name and place of each linear predictor of an expert."""
    if estimator._model.family.n_linear == 1:
        return [(f"expert {k + 1}", (k,))]
    labels = estimator._predictor_labels()
    return [(f"expert {k + 1}, {label}", (k, c)) for c, label in enumerate(labels)]


def _remarks(units, part):
    """Return what is said about the coefficients that a part estimates, by column and for INTERCEPT."""
    dependent, told = units.dependent(part)
    remarks = {j: LEAST_NORM if j in dependent else ESTIMATED for j in units.kept[getattr(units, part)]}
    return remarks | {INTERCEPT: ESTIMATED if told else LEAST_NORM}


def _linear(part, coef, intercept, where, names, remarks, model, units, name="coef"):
    """Return the terms of one linear predictor; without remarks it is an intercept alone."""
    held = name not in model.index
    rows = []
    for j, feature in enumerate(names):
        if j == units.exposure and j not in remarks:
            continue
        remark = LEFT_OUT if j not in remarks else FIXED if held else remarks[j]
        rows.append(Term(part, feature, coef, (*where, j), remark))
    if units.intercept or not remarks:
        remark = FIXED if held else remarks.get(INTERCEPT, ESTIMATED)
        rows.append(Term(part, INTERCEPT, intercept, where, remark))
    return rows


def _dispersion(estimator, part, k):
    model = estimator._model
    remark = ESTIMATED if "dispersion" in model.index else FIXED
    labels = estimator._predictor_labels() if model.family.n_targets > 1 else []
    return [
        Term(part, name, attribute, (k, *place), remark, positive)
        for name, attribute, place, positive in model.family.reported_terms(labels)
    ]


def estimated(estimator: Any) -> list[Term]:
    """Return the terms that the fit estimates."""
    return [term for term in terms(estimator) if term.estimated]


def labelled(rows: list[Term]) -> Any:
    """Return the index of a table of these terms: a pandas MultiIndex of part and term."""
    from pandas import MultiIndex

    return MultiIndex.from_tuples([(row.part, row.term) for row in rows], names=["part", "term"])


def values(named: dict, rows: list[Term]) -> np.ndarray:
    """Return the entries of named parameters, or of what has their shapes, at these terms."""
    return np.array([named[row.attribute][row.where] for row in rows])
