"""Upper bounds of EM's population rate that depend on the SNRs alone (claims S4 and S6).

Linear experts:    (1 + SNR_e^2)^(-1/2) max(1, 1/k(SNR_g)),  k(r) = min(E sech^2(rg/2), E g^2 sech^2(rg/2)).
Logistic experts:  lambda_max of I_com^(-1) E[sech(a/2) sech(b/2) I_2 (x) xx'] / 4.
"""

import numpy as np

from emmd.experiments.snr.plan.measure import Measure, Scope
from emmd.fits.pencil import pencil

_REACH = 9.0
"""Standard deviations that the rules cover: the mass outside is below 1e-18."""

_NATS = 30.0
"""The trapezoidal rule errs by about e^-30: its step follows the nearest pole of sech, at i pi / SNR."""


def _measure(sample):
    cell = sample.cell
    bound = {"symmoline": _linear, "symmologe": _logistic}.get(cell["model"])
    if bound is None:
        return {"snr_bound": None}
    return {"snr_bound": bound(cell["snr_expert"], cell["snr_gate"], cell["cosine"], cell["d"])}


def _sech(u):
    return 1.0 / np.cosh(np.clip(u, -700.0, 700.0))


def _nodes(snr):
    step = min(0.2, 2.0 * np.pi**2 / (_NATS * max(snr, 1e-300)))
    nodes = np.arange(-_REACH, _REACH + step, step)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()


def _linear(snr_expert, snr_gate, cosine, d):
    g, weights = _nodes(snr_gate)
    curvature = weights * _sech(snr_gate * g / 2.0) ** 2
    smallest = min(curvature.sum(), curvature @ g**2)
    return float(max(1.0, 1.0 / smallest) / np.sqrt(1.0 + snr_expert**2))


def _logistic(snr_expert, snr_gate, cosine, d):
    t, weights = _nodes(max(snr_expert, snr_gate))
    plane = np.array(np.meshgrid(t, t, indexing="ij")).reshape(2, -1)
    mass = np.outer(weights, weights).ravel()
    sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    a, b = snr_expert * plane[0], snr_gate * (cosine * plane[0] + sine * plane[1])
    mixed = mass * _sech(a / 2.0) * _sech(b / 2.0)
    return max(_block(plane, mixed, mass * _sech(u / 2.0) ** 2, d) for u in (a, b))


def _block(plane, missing, complete, d):
    """lambda_max of one parameter block; directions across the plane only see the averages."""
    if d == 1:
        return float((missing @ plane[0] ** 2) / (complete @ plane[0] ** 2))
    inside = pencil((missing * plane) @ plane.T, (complete * plane) @ plane.T)[0][-1]
    across = missing.sum() / complete.sum() if d > 2 else 0.0
    return float(max(inside, across))


SNR_BOUND = Measure("snr_bound", Scope.SAMPLE, _measure)
