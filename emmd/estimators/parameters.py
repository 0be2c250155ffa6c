"""A mixture's parameters and their standard errors by name, in the user's units."""

import numpy as np

from emmd.core.numerics.derivatives import COMPLEX_STEP
from emmd.fits.multinomial import with_reference


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
        ``coef`` (K, d), (K, C - 1, d) or (K, m, d), ``intercept`` (K,), (K, C - 1) or (K, m),
        ``gate_coef`` (K, d) and ``gate_intercept`` (K,), both 0 for the last expert, and
        ``dispersion``: variances or shapes, (K,) or (1,) when shared, covariances (K, m, m), None when there
        are none; and what else `Family.reported` says.
    """
    named = model.unpack(theta)
    coef, intercept = units.back(named["coef"], "expert")
    gate_coef, gate_intercept = _gate(model, units, named["gate"])
    return {
        "coef": _one_linear(np.asarray(units.y_scale)[..., None] * coef),
        "intercept": _one_linear(units.y_scale * intercept + units.y_centre),
        "gate_coef": with_reference(gate_coef),
        "gate_intercept": with_reference(gate_intercept),
        "dispersion": None,
        **_reported(model, units, named["dispersion"]),
    }


def standardised(family, units, named, constant_gate):
    """Undo `named_parameters`: return the named parts of theta as `MixtureOfExperts.pack` takes them.

    Parameters
    ----------
    family : Family
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
        coef = coef / np.asarray(units.y_scale)[..., None]
        inside["coef"] = units.forward(coef, intercept, "expert")
    if named.get("dispersion") is not None:
        inside["dispersion"] = family.inside(named, units.y_scale)
    if "gate_coef" in named:
        coef, intercept = (named[name] - named[name][-1] for name in ("gate_coef", "gate_intercept"))
        gate = intercept[:, None] if constant_gate else units.forward(coef, intercept, "gate")
        inside["gate"] = gate[:-1]
    return inside


def parameter_jacobian(model, units, theta):
    """Return the derivatives of the named parameters in theta: by name, in their shapes with an axis p more.

    What is fixed, and columns left out because others make them up, have derivative 0.
    """
    named = named_parameters(model, units, theta)
    slopes = {
        name: np.zeros((*value.shape, model.n_params)) for name, value in named.items() if value is not None
    }
    index = model.index
    if "coef" in index:
        coef, intercept = units.back(np.eye(index["coef"].shape[-1]), "expert")
        scales = np.broadcast_to(units.y_scale, index["coef"].shape[1:2])
        for block in np.ndindex(index["coef"].shape[:-1]):
            where = block if slopes["intercept"].ndim > 2 else block[:1]
            scale = scales[block[1]]
            _place(slopes, "", where, index["coef"][block], (scale * coef, scale * intercept))
    if "dispersion" in index and index["dispersion"].size:
        constants = model.unpack(theta)["dispersion"]
        for place, entry in np.ndenumerate(index["dispersion"]):
            shifted = constants.astype(complex)
            shifted[place] += 1j * COMPLEX_STEP
            for name, value in _reported(model, units, shifted).items():
                slopes[name][..., entry] = value.imag / COMPLEX_STEP
    if "gate" in index:
        sees = model.gate.sees_features
        maps = units.back(np.eye(index["gate"].shape[-1]), "gate") if sees else (np.zeros((1, 1)), np.ones(1))
        for k, entries in enumerate(index["gate"]):
            _place(slopes, "gate_", k, entries, maps)
    return slopes


def _place(slopes, prefix, where, entries, maps):
    """Write the maps from one coefficient vector of theta to slopes and intercept to their places."""
    coef, intercept = maps
    slopes[f"{prefix}coef"][where][:, entries] = coef.T
    slopes[f"{prefix}intercept"][where][entries] = intercept


def named_deviations(model, units, theta, covariance):
    """Return standard errors in the shapes of `named_parameters`, by the delta method.

    Parameters
    ----------
    covariance : ndarray of shape (p, p)
        Of theta.
    """
    slopes = parameter_jacobian(model, units, theta)
    return {"dispersion": None} | {name: _deviation(part, covariance) for name, part in slopes.items()}


def _deviation(slopes, covariance):
    # the square of a slope may overflow where a standard error does not
    size = np.maximum(np.abs(slopes).max(axis=-1, keepdims=True), np.finfo(float).tiny)
    variance = ((slopes / size @ covariance) * (slopes / size)).sum(axis=-1)
    return size[..., 0] * np.sqrt(np.maximum(variance, 0.0))


def _gate(model, units, gate):
    if not model.gate.sees_features:
        return np.zeros((len(gate), units.n_features)), gate[:, 0]
    return units.back(gate, "gate")


def _one_linear(values):
    """Drop the axis of linear predictors when there is one per expert."""
    return values[:, 0] if values.shape[1] == 1 else values


def _reported(model, units, values):
    return model.family.reported(values, units.y_scale) if len(values) else {}
