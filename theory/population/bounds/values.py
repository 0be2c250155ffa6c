"""A user's bound, of any kind, as a function of arrays with real values."""

import numpy as np

from emmd.core.checks import describe
from emmd.theory.population.bounds.expression import NAMES, parse

__all__ = ["BoundFunction"]

# Stands for anything larger, so that slacks can be averaged.
_HUGE = 1e100


class BoundFunction:
    """An expression in snr_e, snr_g, cosine and d that is only ever evaluated on floats.

    Parameters
    ----------
    expression : str or sympy expression or callable
        Text is parsed, never executed. A callable that does not take arrays is called point by point.

    Attributes
    ----------
    text : str
        The expression as it was given.

    Raises
    ------
    TypeError
        For an expression of another type.
    ValueError
        For text that does not parse, or an expression with unknown names or without values.
    """

    def __init__(self, expression):
        self._function = _function(expression)
        try:
            self.text = str(expression)
        except ValueError:
            # Python refuses to print integers of many digits
            self.text = describe(expression)

    def __call__(self, snr_e, snr_g, cosine, d):
        """Return the values at points that broadcast, float64; infinities become +-1e100.

        Raises
        ------
        ValueError
            If the expression cannot be evaluated, or for complex, NaN or other values.
        """
        arrays = np.broadcast_arrays(*(np.asarray(v, float) for v in (snr_e, snr_g, cosine, d)))
        with np.errstate(all="ignore"):
            values = self._on_arrays(arrays)
            if values is None:
                values = self._by_points(arrays)
        if np.iscomplexobj(values) or values.dtype.kind not in "fiub":
            raise ValueError(f"the bound's expression must be real, got values of type {values.dtype}")
        values = values.astype(float)
        # an infinite upper bound is a bound that says nothing; a NaN is no bound at all
        bad = np.isnan(values)
        if bad.any():
            row = [a[bad].flat[0] for a in arrays]
            raise ValueError(f"the bound's expression must have real values, got NaN at {_point(row)}")
        return np.clip(values, -_HUGE, _HUGE)

    def _on_arrays(self, arrays):
        """Return the values, or None if the function does not understand arrays."""
        try:
            values = np.asarray(self._function(*arrays))
            return np.broadcast_to(values, arrays[0].shape)
        except Exception:
            # a user's function may raise anything; what is really wrong with it shows at a single point
            return None

    def _by_points(self, arrays):
        rows = list(zip(*(a.ravel() for a in arrays)))
        values = []
        for row in rows:
            try:
                value = np.asarray(self._function(*row))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                raise ValueError(f"the bound's expression has no value at {_point(row)}: {reason}") from error
            if value.shape:
                raise ValueError(
                    f"the bound's expression must have one value for each point, got shape {value.shape}"
                )
            values.append(value)
        return np.array(values).reshape(arrays[0].shape)


def _point(row):
    return ", ".join(f"{name} = {value:.4g}" for name, value in zip(NAMES, row))


def _function(expression):
    if isinstance(expression, str):
        return parse(expression)
    if hasattr(expression, "free_symbols"):
        return _from_sympy(expression)
    if callable(expression):
        return expression
    raise TypeError(f"expression must be text, a sympy expression or a callable, got {describe(expression)}")


def _from_sympy(expression):
    import sympy as sp
    from sympy.core.function import AppliedUndef

    if not isinstance(expression, sp.Expr):
        raise TypeError(f"expression must be a sympy expression with values, got {describe(expression)}")
    unknown = {symbol.name for symbol in expression.free_symbols} - set(NAMES)
    unknown |= {call.func.__name__ for call in expression.atoms(AppliedUndef)}
    if unknown:
        raise ValueError(
            f"the bound's expression must only use the symbols {', '.join(NAMES)} and functions that sympy "
            f"knows, got {sorted(unknown)[0]!r}"
        )
    if expression.has(sp.nan, sp.zoo):
        raise ValueError(f"the bound's expression must have real values, got {expression}")
    by_name = {symbol.name: symbol for symbol in expression.free_symbols}
    arguments = [by_name.get(name, sp.Symbol(name)) for name in NAMES]
    try:
        compiled = sp.lambdify(arguments, expression, modules=["scipy", "numpy"])
    except Exception as error:
        # sympy's printers raise classes of their own
        raise ValueError(
            f"the bound's expression {expression} cannot be turned into numbers: {error}"
        ) from error
    return lambda *arrays: compiled(*arrays)
