"""A fitted mixture at new rows: NumPy only, no weights, no n x p arrays."""

import numpy as np


def expert_predictors(model, theta, Z):
    """Return the experts' predictors at standardised features Z: a list of K arrays (n, q)."""
    named = model.unpack(theta)
    dispersion = named["dispersion"]
    offset = 0.0 if model.offset_column is None else Z[:, [model.offset_column]]
    Z, parts = _seen(model, "expert", Z), []
    for k, coef in enumerate(named["coef"]):
        linear = Z @ coef.T + offset
        if len(dispersion):
            constant = np.atleast_1d(dispersion[k if len(dispersion) > 1 else 0])
            linear = np.column_stack([linear, np.tile(constant, (len(Z), 1))])
        parts.append(linear)
    return parts


def _seen(model, part, Z):
    """Return the columns that experts or gate see."""
    columns = model.columns[part]
    return Z if len(columns) == Z.shape[1] else Z[:, columns]


def log_gate(model, theta, Z):
    """Return the log probabilities of the experts, shape (K, n)."""
    gate = model.unpack(theta)["gate"]
    sees = model.gate.sees_features
    logits = gate @ _seen(model, "gate", Z).T if sees else np.repeat(gate, len(Z), axis=1)
    return model.gate.log_probabilities(logits)


def log_joint(model, theta, Z, y):
    """Return log p(y, z = k | x), shape (K, n)."""
    experts = [model.family.log_density(y, part) for part in expert_predictors(model, theta, Z)]
    return log_gate(model, theta, Z) + np.array(experts)
