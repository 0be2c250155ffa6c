"""A mixture's parameters and their standard errors by name, in the user's units."""

import numpy as np


def named_parameters(model, units, theta):
    """Return the parameters in the user's units.

    Parameters
    ----------
    model : MixtureOfExperts
        Of the standardised features.
    units : Units
    theta : ndarray of shape (p,)

    Returns
    -------
    dict
        ``coef`` (K, d) or (K, C - 1, d), ``intercept`` (K,) or (K, C - 1),
        ``gate_coef`` (K, d) and ``gate_intercept`` (K,), both 0 for the last expert, and
        ``dispersion``: variances or shapes, (K,) or (1,) when shared, None when there are none.
    """
    named = model.unpack(theta)
    coef, intercept = units.back(named["coef"], "expert")
    gate_coef, gate_intercept = _gate(model, units, named["gate"])
    return {
        "coef": _one_linear(units.y_scale * coef),
        "intercept": _one_linear(units.y_scale * intercept + units.y_centre),
        "gate_coef": _with_reference(gate_coef),
        "gate_intercept": _with_reference(gate_intercept),
        "dispersion": _dispersion(units, named["dispersion"]),
    }


def standardised(units, named, constant_gate):
    """Undo `named_parameters`: return the named parts of theta as `MixtureOfExperts.pack` takes them.

    Parameters
    ----------
    units : Units
    named : dict
        Arrays in the user's units: those of the experts, those of the gate, or all.
    constant_gate : bool
    """
    inside = {}
    if "coef" in named:
        K = len(named["coef"])
        coef, intercept = named["coef"].reshape(K, -1, units.n_features), named["intercept"].reshape(K, -1)
        intercept = (intercept - units.y_centre) / units.y_scale
        inside["coef"] = units.forward(coef / units.y_scale, intercept, "expert")
    if named.get("dispersion") is not None:
        inside["dispersion"] = np.log(named["dispersion"] / units.y_scale**2)
    if "gate_coef" in named:
        coef, intercept = (named[name] - named[name][-1] for name in ("gate_coef", "gate_intercept"))
        gate = intercept[:, None] if constant_gate else units.forward(coef, intercept, "gate")
        inside["gate"] = gate[:-1]
    return inside


def named_deviations(model, units, theta, covariance):
    """Return standard errors in the shapes of `named_parameters`, by the delta method.

    Parameters
    ----------
    covariance : ndarray of shape (p, p)
        Of theta. What is fixed, and columns left out because others make them up, have standard error 0.
    """
    named = named_parameters(model, units, theta)
    errors = {name: value if value is None else np.zeros_like(value) for name, value in named.items()}
    index = model.index
    if "coef" in index:
        experts = _each_block(index["coef"], covariance, lambda part: units.back_deviations(part, "expert"))
        errors["coef"] = _one_linear(units.y_scale * experts[..., :-1])
        errors["intercept"] = _one_linear(units.y_scale * experts[..., -1])
    if "dispersion" in index and errors["dispersion"] is not None:
        errors["dispersion"] = named["dispersion"] * np.sqrt(np.diag(covariance)[index["dispersion"]])
    if "gate" in index:
        gate = _with_reference(_each_block(index["gate"], covariance, _gate_deviations(model, units)))
        errors["gate_coef"], errors["gate_intercept"] = gate[:, :-1], gate[:, -1]
    return errors


def _gate_deviations(model, units):
    if not model.gate.sees_features:
        return units.constant_deviation
    return lambda part: units.back_deviations(part, "gate")


def _each_block(index, covariance, deviations):
    """Return deviations of (slopes, intercept) for every coefficient vector of ``index``."""
    blocks = index.reshape(-1, index.shape[-1])
    rows = np.array([deviations(covariance[np.ix_(entries, entries)]) for entries in blocks])
    return rows.reshape(*index.shape[:-1], -1)


def _gate(model, units, gate):
    if not model.gate.sees_features:
        return np.zeros((len(gate), units.n_features)), gate[:, 0]
    return units.back(gate, "gate")


def _one_linear(values):
    """Drop the axis of linear predictors when there is one per expert."""
    return values[:, 0] if values.shape[1] == 1 else values


def _with_reference(values):
    return np.concatenate([values, np.zeros_like(values[:1])])


def _dispersion(units, values):
    return np.exp(values) * units.y_scale**2 if len(values) else None
