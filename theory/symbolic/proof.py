"""Prove a statement: find its file in `proofs`, form the residual, reduce it to a normal form."""

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, cast

import sympy as sp

from emmd.theory.symbolic import proofs
from emmd.theory.symbolic.normal_form import normal_form
from emmd.theory.symbolic.scalar_models import ScalarModel, scalar_model

Variant = Mapping[str, object]

_SUBSTITUTION = (
    "the exponential of each monomial in (a, b, y) is treated as an independent positive symbol; "
    "what vanishes for independent symbols vanishes for the exponentials"
)


class Statement(Protocol):
    """What a file in `proofs` provides."""

    LABEL: str
    STATEMENT: str
    ASSUMES: tuple[str, ...]
    SABOTAGES: Mapping[str, Variant]

    def residual(self, model: ScalarModel, **variant: object) -> Sequence[sp.Expr]:
        """Return expressions in the symbols of `model`; the statement is that all of them vanish."""


@dataclass(frozen=True)
class Proof:
    """Outcome of an attempted symbolic proof.

    Attributes
    ----------
    label : str
        Label of the statement, for instance "E1".
    model : str
        Name of the scalar model.
    statement : str
        The statement in formulas.
    assumes : tuple of str
        What the proof takes for granted.
    residual : sympy.ImmutableMatrix
        Left side minus right side in normal form, one row per component of the statement and per
        case of y, shape (rows, 1).
    """

    label: str
    model: str
    statement: str
    assumes: tuple[str, ...]
    residual: sp.ImmutableMatrix

    @property
    def proved(self) -> bool:
        """True if there is a residual and every entry of it is exactly the sympy integer 0."""
        return len(self.residual) > 0 and all(entry is sp.S.Zero for entry in self.residual)


@cache
def _statements() -> Mapping[str, Statement]:
    names = [info.name for info in pkgutil.iter_modules(proofs.__path__)]
    modules = [cast(Statement, import_module(f"{proofs.__name__}.{name}")) for name in names]
    return MappingProxyType({module.LABEL: module for module in modules})


def _statement(label: str) -> Statement:
    if label not in _statements():
        raise ValueError(f"unknown label {label!r}; choose one of {labels()}")
    return _statements()[label]


def labels() -> list[str]:
    """Return the labels of all statements that have a symbolic proof.

    Returns
    -------
    list of str
        Sorted labels, one for each file in the folder `proofs`.
    """
    return sorted(_statements())


def sabotages(label: str) -> dict[str, dict[str, object]]:
    """Return the named false variants of a statement.

    Parameters
    ----------
    label : str
        One of `labels`.

    Returns
    -------
    dict
        ``{name: keyword arguments for prove}``; each must leave a residual that is not zero.

    Raises
    ------
    ValueError
        If there is no such label.
    """
    return {name: dict(variant) for name, variant in _statement(label).SABOTAGES.items()}


def _exact(value: object) -> object:
    """Turn a decimal number into the rational it is written as; leave truth values alone."""
    return value if isinstance(value, bool) else sp.Rational(str(value))


def _range_of_y(model: ScalarModel) -> str:
    if model.outcomes is None:
        return "y is any real number, in units of sigma; sigma is known"
    return f"y is one of {sorted(model.outcomes)}; each value is a block of rows of the residual"


def prove(label: str, model: str, **variant: object) -> Proof:
    """Try to prove a statement for a model.

    Parameters
    ----------
    label : str
        One of `labels`.
    model : str
        "symmoline" or "symmologe".
    **variant
        Numbers or truth values that change the statement, as in `sabotages`; none gives the
        statement itself.

    Returns
    -------
    Proof
        With ``proved`` true exactly if the residual reduces to 0 symbolically.

    Raises
    ------
    ValueError
        If there is no such label or model.
    TypeError
        If the statement has no such variant.

    Examples
    --------
    >>> from emmd.theory.symbolic import prove
    >>> prove("E1", "symmoline").proved
    True
    >>> prove("E4", "symmoline", step=1.1).proved
    False
    """
    statement, scalar = _statement(label), scalar_model(model)
    rows = statement.residual(scalar, **{key: _exact(value) for key, value in variant.items()})
    residual = sp.ImmutableMatrix(
        [normal_form(sp.sympify(row).xreplace({scalar.y: y})) for y in scalar.cases for row in rows]
    )
    assumes = (*statement.ASSUMES, _range_of_y(scalar), _SUBSTITUTION)
    return Proof(label, model, statement.STATEMENT, assumes, residual)
