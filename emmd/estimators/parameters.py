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
    coef, intercept = units.back(named["coef"])
    gate_coef, gate_intercept = _gate(model, units, named["gate"])
    return {
        "coef": _one_linear(units.y_scale * coef),
        "intercept": _one_linear(units.y_scale * intercept + units.y_centre),
        "gate_coef": _with_reference(gate_coef),
        "gate_intercept": _with_reference(gate_intercept),
        "dispersion": _dispersion(units, named["dispersion"]),
    }


def named_deviations(model, units, theta, covariance):
    """Return standard errors in the shapes of `named_parameters`, by the delta method.

    Parameters
    ----------
    covariance : ndarray of shape (p, p)
        Of theta. Columns left out because others make them up have standard error 0.
    """
    index = model.index
    experts = _each_block(index["coef"], covariance, units.back_deviations)
    one = model.gate == "constant"
    gate = _each_block(index["gate"], covariance, units.constant_deviation if one else units.back_deviations)
    gate = _with_reference(gate)
    dispersion = _dispersion(units, theta[index["dispersion"]])
    if dispersion is not None:
        dispersion = dispersion * np.sqrt(np.diag(covariance)[index["dispersion"]])
    return {
        "coef": _one_linear(units.y_scale * experts[..., :-1]),
        "intercept": _one_linear(units.y_scale * experts[..., -1]),
        "gate_coef": gate[:, :-1],
        "gate_intercept": gate[:, -1],
        "dispersion": dispersion,
    }


def _each_block(index, covariance, deviations):
    """Return deviations of (slopes, intercept) for every coefficient vector of ``index``."""
    blocks = index.reshape(-1, index.shape[-1])
    rows = np.array([deviations(covariance[np.ix_(entries, entries)]) for entries in blocks])
    return rows.reshape(*index.shape[:-1], -1)


def _gate(model, units, gate):
    if model.gate == "constant":
        return np.zeros((len(gate), units.n_features)), gate[:, 0]
    return units.back(gate)


def _one_linear(values):
    """Drop the axis of linear predictors when there is one per expert."""
    return values[:, 0] if values.shape[1] == 1 else values


def _with_reference(values):
    return np.concatenate([values, np.zeros_like(values[:1])])


def _dispersion(units, values):
    return np.exp(values) * units.y_scale**2 if len(values) else None
