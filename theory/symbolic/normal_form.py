"""A normal form for expressions built from rational functions, exp and log: the zero test of the proofs.

Every rewriting used is an identity for real symbols, so a normal form of 0 is a proof:

1. each ``exp(c m)``, m a monomial, becomes ``X**k`` with one positive symbol ``X = exp(m / q)`` per
   monomial (q clears the denominators of c);
2. each ``log(P)``, P now rational in positive symbols, is factored over the rationals and expanded
   over those factors that sympy knows to be positive; ``log(X)`` is read back as ``m / q``;
3. the symbols X, the remaining logarithms and the original symbols are taken as independent, and
   the rational function in them is cancelled.

Step 3 forgets that X and m are related.  That direction is safe: what vanishes for independent
symbols vanishes after substitution.
"""

from functools import cache
from math import lcm

import sympy as sp

Monomials = dict[sp.Expr, sp.Expr]


def _exponent_terms(exponential: sp.Expr) -> Monomials:
    """Write the argument of an exp as ``{monomial: rational coefficient}``."""
    return dict(sp.expand(exponential.exp).as_coefficients_dict())


def _bases(exponentials: set[sp.Expr]) -> dict[sp.Expr, tuple[sp.Symbol, int]]:
    """Give each monomial m a positive symbol standing for ``exp(m / q)``; return ``{m: (symbol, q)}``."""
    denominators: dict[sp.Expr, int] = {}
    for exponential in exponentials:
        for monomial, coefficient in _exponent_terms(exponential).items():
            denominators[monomial] = lcm(denominators.get(monomial, 1), int(coefficient.q))
    return {m: (sp.Dummy(f"exp({m}/{q})", positive=True), q) for m, q in denominators.items()}


def _without_exp(expr: sp.Expr) -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """Replace every exp by powers of positive symbols; return the expression and ``{symbol: log}``."""
    exponentials = expr.atoms(sp.exp)
    bases = _bases(exponentials)
    powers = {
        e: sp.Mul(*(bases[m][0] ** (c * bases[m][1]) for m, c in _exponent_terms(e).items()))
        for e in exponentials
    }
    return expr.xreplace(powers), {symbol: m / q for m, (symbol, q) in bases.items()}


def _expanded_log(logarithm: sp.Expr) -> sp.Expr:
    """Expand the log of a rational function over its factors, where sympy knows their signs."""
    return sp.expand_log(sp.log(sp.factor(sp.together(logarithm.args[0]))), force=False)


def _reduced(rational: sp.Expr) -> sp.Expr:
    """Cancel a rational function; one that vanishes is found out before the costly gcd."""
    numerator, denominator = sp.together(rational).as_numer_denom()
    numerator = sp.expand(numerator)
    return numerator if numerator == 0 else sp.cancel(numerator / denominator)


@cache
def normal_form(expr: sp.Expr) -> sp.Expr:
    """Simplify `expr` so that an identity shows as exactly 0.

    Parameters
    ----------
    expr : sympy.Expr
        A rational expression in real symbols, exp of polynomials in them, and log of rational
        expressions in both, defined at every real point.  No log inside exp or log.

    Returns
    -------
    sympy.Expr
        An expression equal to `expr`; ``0`` proves that `expr` vanishes identically.  A result
        other than 0 proves nothing.
    """
    rational, logs = _without_exp(expr)
    rational = rational.xreplace({atom: _expanded_log(atom) for atom in rational.atoms(sp.log)})
    rational = rational.xreplace({sp.log(symbol): value for symbol, value in logs.items()})
    generators = {atom: sp.Dummy("log") for atom in rational.atoms(sp.log)}
    reduced = _reduced(rational.xreplace(generators))
    restored = reduced.xreplace({dummy: atom for atom, dummy in generators.items()})
    return restored.xreplace({symbol: sp.exp(value) for symbol, value in logs.items()})
