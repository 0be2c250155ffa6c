r"""SymMoLogE at the true parameter: two integrals, the inner nodes following the outer variable.

With p = b/2 and q = a/2 the missing information per sample of theory, section 6, is

    (1/4) sech(p+q) sech(p-q) [1, -tanh p tanh q; same, 1] (x) xx'.

The model does not change when its two parameters are swapped, so let p belong to the larger SNR. In the plane
x has coordinates t along that parameter and o across it, p = SNR t/2 and q = snr (c t + s o)/2.

Given t the integrand in o is a normal density times a function of q with poles at Im q = +-pi/2. These are
pi / (snr s) away in o, at infinity for c = +-1. The inner integral as a function of t has no pole nearer than
pi / (SNR + snr |c|), because moving t off the real line by less keeps |Im p| + |Im q| < pi/2. Both steps
follow from these distances. The larger SNR comes first because that keeps the second one within a factor of
two of pi / SNR, the scale on which the integrand decays.
"""

import math

import numpy as np

from emmd.theory.population.spectrum.information import (
    Information,
    PopulationModel,
    logistic_information,
    whiten,
)
from emmd.theory.population.spectrum.quadrature import half_line, normal_density, reach, sech, spacing

__all__ = ["MODEL", "information"]

# Keeps a division finite where q does not depend on o: such a row meets the bound on q everywhere or nowhere.
_FLAT = 1e-30


def information(snr_expert, snr_gate, cosine, nats):
    """Missing information of SymMoLogE, each block of parameters in its own frame.

    Parameters
    ----------
    snr_expert, snr_gate, cosine : float
    nats : float
        Accuracy.

    Returns
    -------
    Information
        The block of the smaller SNR comes first, whether it is the expert's or the gate's.
    """
    small, large = sorted((snr_expert, snr_gate))
    t, o, weights = _nodes(small, large, cosine, nats)
    sine = math.sqrt((1 - cosine) * (1 + cosine))
    p, u = large * t / 2, cosine * t + sine * o
    q = small * u / 2
    same = weights * sech(p + q) * sech(p - q) / 4
    mixed = -same * np.tanh(p) * np.tanh(q)
    plane = _plane(same, mixed, (u, cosine * o - sine * t), (t, o))
    orthogonal = _symmetric(same.sum(), mixed.sum(), same.sum())
    first, last = logistic_information(small, nats), logistic_information(large, nats)
    return Information(whiten(plane, [*first, *last]), whiten(orthogonal, [first[1], last[1]]), same.size)


def _nodes(small, large, cosine, nats):
    """Nodes t of shape (m, 1), o of shape (m, n) and weights for E over (t, o), for an even integrand."""
    t, weights = half_line(spacing(large + small * abs(cosine), nats), reach(large, nats))
    centre, slant = small * cosine * t / 2, small * math.sqrt((1 - cosine) * (1 + cosine)) / 2
    step = spacing(2 * slant, nats)
    # sech(p+q) sech(p-q) <= 4 e^(-2|q|): nothing counts beyond |q| = nats/2 or the normal's own reach.
    low = np.maximum(-reach(0.0, nats), (-nats / 2 - centre) / max(slant, _FLAT))
    high = np.minimum(reach(0.0, nats), (nats / 2 - centre) / max(slant, _FLAT))
    seen = low <= high
    t, weights, low, high = t[seen, None], weights[seen, None], low[seen, None], high[seen, None]
    o = low + step * np.arange(math.ceil((high - low).max() / step) + 1)
    return t, o, weights * step * normal_density(t) * normal_density(o)


def _plane(same, mixed, expert_frame, gate_frame):
    """Missing information in the plane from node weights and the coordinates of x in each block's frame."""
    blocks = [[same, mixed], [mixed, same]]
    frames = [expert_frame, gate_frame]
    return np.block(
        [
            [_second_moments(weights, rows, columns) for weights, columns in zip(line, frames)]
            for line, rows in zip(blocks, frames)
        ]
    )


def _second_moments(weights, rows, columns):
    return np.array([[(weights * row * column).sum() for column in columns] for row in rows])


def _symmetric(first, mixed, last):
    return np.array([[first, mixed], [mixed, last]])


MODEL = PopulationModel("symmologe", information)
