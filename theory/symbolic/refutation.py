"""Refute a false statement: a rational point at which its residual is certainly not zero."""

from dataclasses import dataclass

import sympy as sp

from emmd.theory.symbolic.proof import Proof

_DIGITS = 20
_NUMERATORS = (2, -3, 5, -4, 1, 7)


@dataclass(frozen=True)
class Refutation:
    """A counter-example to the statement that a residual vanishes.

    Attributes
    ----------
    point : dict
        Rational value of each symbol, by name.
    row : int
        Row of the residual that is not zero there.
    value : sympy.Float
        The residual at the point, to 20 digits.
    """

    point: dict[str, sp.Rational]
    row: int
    value: sp.Float


def _rational_point(residual: sp.ImmutableMatrix) -> dict[sp.Symbol, sp.Rational]:
    symbols = sorted(residual.free_symbols, key=str)
    return {s: sp.Rational(_NUMERATORS[i % len(_NUMERATORS)], 5 + i) for i, s in enumerate(symbols)}


def refute(proof: Proof) -> Refutation | None:
    """Look for a point at which the residual of a statement is not zero.

    The residual is evaluated at one generic rational point with sympy's error-controlled ``evalf``
    in strict mode: a value is returned only if all its digits are certain, so one that is not 0
    proves that the residual is not.

    Parameters
    ----------
    proof : Proof
        A statement that could not be proved.

    Returns
    -------
    Refutation or None
        None if nothing is refuted, as for a statement that is proved.

    Raises
    ------
    sympy.core.evalf.PrecisionExhausted
        If an entry that is not in reduced form cannot be told from 0.
    """
    point = _rational_point(proof.residual)
    for row, entry in enumerate(proof.residual):
        value = entry.subs(point).evalf(_DIGITS, strict=True)
        if value != 0:
            return Refutation({s.name: q for s, q in point.items()}, row, value)
    return None
