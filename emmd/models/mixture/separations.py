"""Parameters of K experts at given separations of the experts and of the gate."""

import numpy as np

from emmd.core.checks import instance, not_negative, number_between
from emmd.models.mixture.model import MixtureOfExperts

FAMILIES = ("gaussian", "bernoulli", "categorical", "poisson", "gamma")
"""Those with a scale for separations: linear predictors in units of a standard deviation, or a link's."""


def simplex(n_corners: int) -> np.ndarray:
    """Return the corners of a regular simplex, centred, at distance 1, shape (K, K - 1)."""
    corners = np.eye(n_corners) - 1.0 / n_corners
    # the rows lie in a space of one dimension less; Helmert's rows are an orthonormal basis of it
    basis = np.zeros((n_corners - 1, n_corners))
    for k in range(1, n_corners):
        basis[k - 1, :k], basis[k - 1, k] = 1.0, -float(k)
        basis[k - 1] /= np.sqrt(k * (k + 1.0))
    return corners @ basis.T / np.sqrt(2.0)


def mixture_snr_parameters(
    model: MixtureOfExperts, snr_expert: float, snr_gate: float, cosine: float
) -> np.ndarray:
    """Return theta with equally separated experts and gate vectors, for x ~ N(0, I).

    Parameters
    ----------
    model : MixtureOfExperts
        Of K experts on all of d features, both for experts and for the gate; the variance of Gaussian experts
        is its known one, or 1, the shape of Gamma experts 1.
    snr_expert : float
        ||beta_j - beta_k|| / sigma for every pair of experts, at least 0. Of several linear predictors, those
        of C classes, all rows together: they alternate in sign.
    snr_gate : float
        ||w_j - w_k|| for every pair, the last being 0, at least 0.
    cosine : float
        Of the angle between beta_j - beta_k and w_j - w_k for every pair, in [-1, 1].

    Returns
    -------
    ndarray of shape (p,)
        Experts at the corners of a regular simplex in the first K - 1 features; the gate's simplex is turned
        from there into the next K - 1. Where there are fewer features it is turned within the planes of the
        first ones, two at a time, by the same angle.

    Raises
    ------
    ValueError
        Where that cannot be had in d dimensions, and for a family without such a scale.
    """
    model = instance("model", model, MixtureOfExperts, "a MixtureOfExperts")
    snr_expert, snr_gate = not_negative("snr_expert", snr_expert), not_negative("snr_gate", snr_gate)
    cosine = number_between("cosine", cosine, -1.0, 1.0)
    _require(model, snr_expert, snr_gate, cosine)
    K, d, m = model.n_experts, model.n_features, model.family.n_linear
    corners = np.zeros((2, K, d))
    corners[0, :, : min(K - 1, d)] = simplex(K)[:, :d]
    corners[1] = _turned(corners[0], K, cosine if snr_expert > 0.0 else 1.0)
    signs = (-1.0) ** np.arange(m) / np.sqrt(m)
    sigma = np.sqrt(getattr(model.family, "known", None) or 1.0)
    coef = snr_expert * sigma * signs[None, :, None] * corners[0][:, None, :]
    named = {"coef": coef, "dispersion": np.zeros(model.shapes["dispersion"])}
    gate = snr_gate * (corners[1] - corners[1, -1])[:-1]
    if model.gate.sees_features:
        return model.pack(**named, gate=gate)
    return model.pack(**named, gate=np.zeros(model.shapes["gate"]))


def _turned(corners, K, cosine):
    """Return the corners at an angle to themselves, every vector between two of them alike."""
    sine, d = np.sqrt((1.0 - cosine) * (1.0 + cosine)), corners.shape[1]
    aside = np.zeros_like(corners)
    if d >= 2 * (K - 1):
        aside[:, K - 1 : 2 * (K - 1)] = corners[:, : K - 1]
    else:
        for j in range(0, K - 1 if sine > 0.0 else 0, 2):
            aside[:, j], aside[:, j + 1] = -corners[:, j + 1], corners[:, j]
    return cosine * corners + sine * aside


def _require(model, snr_expert, snr_gate, cosine):
    K, d, family = model.n_experts, model.n_features, model.family
    if family.name not in FAMILIES:
        raise ValueError(
            f"family must have a scale for separations ({', '.join(FAMILIES)}), got {family.name!r}"
        )
    if model.columns["expert"] != list(range(d)) or model.columns["gate"] not in (None, list(range(d))):
        raise ValueError("model must let experts and gate see all features, got a choice of columns")
    if model.fixed:
        raise ValueError(f"model must have nothing fixed, got {sorted(model.fixed)}")
    if snr_gate > 0.0 and not model.gate.sees_features:
        raise ValueError(f"snr_gate must be 0 for a gate that sees no features, got {snr_gate:g}")
    # a line is turned into a second dimension, a plane within itself
    turned = abs(cosine) < 1.0 and min(snr_expert, snr_gate) > 0.0
    needed = K - 1 + (turned and K % 2 == 0)
    if max(snr_expert, snr_gate) > 0.0 and d < needed:
        simplices = "two simplices at an angle" if turned else "a simplex"
        raise ValueError(
            f"n_features must be at least {needed}, for {simplices} of {K} corners to fit, got {d}"
        )
