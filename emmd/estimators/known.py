"""What a user knows beforehand: which columns experts and gate use, and parameters at known values."""

import numpy as np

from emmd.core.checks import describe, real_array
from emmd.estimators.parameters import standardised

GATE = ("gate_coef", "gate_intercept")
EXPERTS = ("coef", "intercept", "dispersion", "df")


def fixed_parts(fixed):
    """Return which of ``expert`` and ``gate`` has parameters among those that are held."""
    names = fixed if isinstance(fixed, dict) else {}
    return [part for part, own in (("expert", EXPERTS), ("gate", GATE)) if set(own) & set(names)]


def chosen_columns(argument, value, n_features, names):
    """Return the columns that `value` chooses, as a list of int: all for None.

    Parameters
    ----------
    argument : str
        What error messages call it.
    value : sequence of int or str, or None
        Column numbers, or names where X had any.
    n_features : int
    names : ndarray of str or None
    """
    if value is None:
        return list(range(n_features))
    if isinstance(value, str) or not np.iterable(value):
        raise TypeError(f"{argument} must be a list of columns or None, got {describe(value)}")
    known = {name: j for j, name in enumerate([] if names is None else names)}
    value = list(value)
    columns = [known.get(column, column) if isinstance(column, str) else column for column in value]
    numbers = all(isinstance(j, int | np.integer) and 0 <= j < n_features for j in columns)
    if not (columns and numbers and len(set(columns)) == len(columns)):
        by_name = "" if names is None else f" or names among {', '.join(names)}"
        raise ValueError(
            f"{argument} must hold distinct columns from 0 to {n_features - 1}{by_name}, "
            f"got {describe(value)}"
        )
    return sorted(map(int, columns))


def parameter_shapes(family, n_experts, units, constant_gate):
    """Return the shapes of the parameters that a mixture has, by the names of the fitted attributes."""
    linear = () if family.n_linear == 1 else (family.n_linear,)
    shapes = {"coef": (n_experts, *linear, units.n_features)}
    if units.intercept:
        shapes["intercept"] = (n_experts, *linear)
    if family.dispersion != "none":
        several = (family.n_dispersion,) if family.n_dispersion > 1 else ()
        constants = np.zeros((n_experts if family.dispersion == "free" else 1, *several))
        shapes |= {name: value.shape for name, value in family.reported(constants).items()}
    if not constant_gate:
        shapes["gate_coef"] = (n_experts, units.n_features)
    if units.intercept or constant_gate:
        shapes["gate_intercept"] = (n_experts,)
    return shapes


def fixed_parameters(fixed, family, units, shapes, constant_gate):
    """Return the parameters that are held, as `MixtureOfExperts` takes them, or None.

    Parameters
    ----------
    fixed : dict or None
        By the names of the fitted attributes, without the underscore and in the user's units: those of
        the gate, or those of the experts.
    family : Family
    units : Units
    shapes : dict of str to tuple
        Of the parameters that the mixture has, by these names.
    constant_gate : bool
    """
    if fixed is None:
        return None
    if not isinstance(fixed, dict):
        raise TypeError(f"fixed must be a dict of parameters by name or None, got {describe(fixed)}")
    # attributes of a fit say None or 0 for what its mixture does not have
    fixed = {name: value for name, value in fixed.items() if name in shapes or _says_something(value)}
    parts = [[name for name in part if name in shapes] for part in (GATE, EXPERTS)]
    if set(fixed) not in map(set, parts):
        raise ValueError(
            f"fixed must hold {' and '.join(parts[0])} of the gate, or {', '.join(parts[1])} of the experts, "
            f"got {sorted(map(str, fixed))}"
        )
    values = {name: real_array(name, fixed[name], len(shapes[name]), shapes[name]) for name in fixed}
    _require_possible(values, units, "expert" if "coef" in fixed else "gate")
    if "coef" in values:
        values.setdefault("intercept", np.zeros(shapes["coef"][:-1]))
    else:
        values.setdefault("gate_coef", np.zeros((shapes["gate_intercept"][0], units.n_features)))
        values.setdefault("gate_intercept", np.zeros(len(values["gate_coef"])))
    return standardised(family, units, values, constant_gate)


def _says_something(value):
    return value is not None and np.any(np.asarray(value) != 0)


def _require_possible(values, units, part):
    name = "coef" if part == "expert" else "gate_coef"
    if name in values:
        # of the gate only differences matter
        slopes = values[name] if part == "expert" else values[name] - values[name][-1]
        needed = np.flatnonzero(slopes.reshape(-1, units.n_features).any(axis=0))
        lost = np.setdiff1d(needed, units.kept[getattr(units, part)])
        if len(lost):
            raise ValueError(
                f"fixed {name} must be 0 for columns that the {part} does not use (not asked for, or "
                f"constant), got other values for columns {lost.tolist()}"
            )
    for name in ("dispersion", "df"):
        value = values.get(name, np.ones(1))
        # of a covariance all eigenvalues
        least = np.linalg.eigvalsh(value) if value.ndim == 3 else value
        if np.any(least <= 0):
            raise ValueError(f"fixed {name} must be positive, got {least.min():g}")
