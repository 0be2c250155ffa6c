r"""SymMoLinE at the true parameter: three integrals, one Fourier transform, two integrals left.

With t the coordinate of x along w*, o across it in the plane, a = SNR_e (c t + s o) and b = SNR_g t, the
missing information per sample is (theory, section 6)

    sech(b/2) e^(-a^2/2) int phi(y) sech(b/2 + a y) [y^2, y/2; y/2, 1/4] dy (x) xx'.

Writing sech(b/2 + a y) as a Fourier integral over omega leaves Gaussians in y,

    int phi(y) y^k e^(i omega a y) dy = e^(-omega^2 a^2/2) (1, i omega a, 1 - omega^2 a^2)_k,

and so in o, whatever the SNRs and the angle. What remains, for k = 0..4, is

    int (1/2) sech(pi omega/2) int phi(t) e^(-q t^2/2) sech(b/2) t^k {cos, sin}(omega b/2) dt d omega.

The scale of t, the smaller of 1/sqrt(1 + q(omega)) and 1/SNR_g, is known for every omega, and the inner nodes
follow it. As a function of omega the rest is analytic for |Im omega| < 1 at every SNR and angle, so one step
serves the outer rule everywhere.
"""

import math
from typing import NamedTuple

import numpy as np

from emmd.theory.population.spectrum.information import (
    Information,
    PopulationModel,
    logistic_information,
    whiten,
)
from emmd.theory.population.spectrum.quadrature import frequency_rule, normal_density, reach, sech, spacing

__all__ = ["MODEL", "information"]


class _Conditional(NamedTuple):
    """Law of (o, a) under the weight e^(-a^2 (1 + omega^2)/2), given t; arrays over omega.

    o = drift t + xi, a = slope t + loading xi, xi ~ N(0, variance); the weight's mass at t, relative to
    sqrt(variance), is e^(-decay t^2/2).
    """

    variance: np.ndarray
    drift: np.ndarray
    slope: np.ndarray
    loading: float
    decay: np.ndarray


def information(snr_expert, snr_gate, cosine, nats):
    """Missing information of SymMoLinE, both blocks of parameters in the frame of the gate.

    Parameters
    ----------
    snr_expert, snr_gate, cosine : float
    nats : float
        Accuracy.

    Returns
    -------
    Information
    """
    omega, weights = frequency_rule(nats)
    law = _conditional(snr_expert, cosine, omega)
    moments, n_nodes = _gate_moments(snr_gate, law.decay, omega, nats)
    moments = moments * (weights * np.sqrt(law.variance))
    along, across = logistic_information(snr_gate, nats)
    plane = _plane(law, omega, *moments)
    orthogonal = _orthogonal(law, omega, *moments)
    return Information(
        whiten(plane, [1.0, 1.0, along, across]), whiten(orthogonal, [1.0, across]), n_nodes + omega.size
    )


def _conditional(snr_expert, cosine, omega):
    along, across = snr_expert * cosine, snr_expert * math.sqrt((1 - cosine) * (1 + cosine))
    strength = 1 + omega**2
    variance = 1 / (1 + across**2 * strength)
    return _Conditional(
        variance=variance,
        drift=-along * across * strength * variance,
        slope=along * variance,
        loading=across,
        decay=along**2 * strength * variance,
    )


def _gate_moments(snr_gate, decay, omega, nats):
    """Inner integrals for k = 0..4, shape (5, n): cos for even k, sin for odd k; and the number of nodes.

    In v = t sqrt(1 + decay) the rule is that of a standard normal times a sech with poles at pi / rate, one
    rule for each omega; the oscillation is damped beforehand by the sech(pi omega/2) of the outer rule.
    """
    scale = 1 / np.sqrt(1 + decay)
    rate = snr_gate * scale
    step = spacing(rate, nats)
    n_steps = math.ceil((reach(rate / 2, nats) / step).max())
    v = step[:, None] * np.arange(n_steps + 1)
    t, half_b = scale[:, None] * v, rate[:, None] / 2 * v
    mass = normal_density(v) * sech(half_b) * (2 * step * scale)[:, None]
    mass[:, 0] /= 2
    phase = omega[:, None] * half_b
    even, odd, square = mass * np.cos(phase), mass * np.sin(phase) * t, t * t
    even_2, odd_3 = even * square, odd * square
    moments = [even.sum(1), odd.sum(1), even_2.sum(1), odd_3.sum(1), (even_2 * square).sum(1)]
    return np.array(moments), v.size


def _plane(law, omega, m0, m1, m2, m3, m4):
    """Missing information in the plane, order (beta_t, beta_o, w_t, w_o), from the moments m_k of t."""
    variance, drift, slope, loading, _ = law
    covariance, power = loading * variance, loading**2 * variance  # of (o, a) and of (a, a), given t
    # E[o^2 | t] t^k and E[a^2 | t] t^k, integrated over t.
    oo_0, oo_1, oo_2 = (drift**2 * high + variance * low for high, low in ((m2, m0), (m3, m1), (m4, m2)))
    aa_2 = slope**2 * m4 + power * m2
    gate = _symmetric(m2, drift * m2, oo_0) / 4
    cross = _symmetric(
        -omega * slope * m3,
        -omega * (slope * drift * m3 + covariance * m1),
        -omega * (slope * oo_1 + 2 * drift * covariance * m1),
    ) / 2  # fmt: skip
    # E[a^2 o^2 | t] = E[a^2] E[o^2] + 4 E[a] E[o] Cov(a, o) + 2 Cov(a, o)^2, everything given t.
    aaoo = slope**2 * oo_2 + power * oo_0 + 4 * slope * drift * covariance * m2 + 2 * covariance**2 * m0
    expert = _symmetric(
        m2 - omega**2 * aa_2,
        drift * m2 - omega**2 * (drift * aa_2 + 2 * slope * covariance * m2),
        oo_0 - omega**2 * aaoo,
    )
    return np.block([[expert, cross], [cross, gate]])


def _orthogonal(law, omega, m0, m1, m2, m3, m4):
    aa = law.slope**2 * m2 + law.loading**2 * law.variance * m0
    return _symmetric(m0 - omega**2 * aa, -omega * law.slope * m1 / 2, m0 / 4)


def _symmetric(first, mixed, last):
    """2 x 2 matrix of the sums over omega."""
    return np.array([[first.sum(), mixed.sum()], [mixed.sum(), last.sum()]])


MODEL = PopulationModel("symmoline", information)
