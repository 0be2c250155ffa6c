r"""S1: for linear experts and any law of x, leaving out sech(b/2 + ay) bounds the missing information.

4 p (1 - p) f(y|x) is twice the harmonic mean of the joint densities of y with the two experts; twice their
geometric mean, sech(b/2) e^{-a^2/2} phi(y), is larger and integrates over y in closed form.
"""

import numpy as np
from scipy.special import expit

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, linear_only
from emmd.theory.population.spectrum.information import logistic_information, whiten
from emmd.theory.population.spectrum.quadrature import half_line, normal_density, reach, sech, spacing

_NATS = 45.0
_ROUNDING = 1e-13


def measure(lab, power=1, decay=0.5):
    """Compare the largest eigenvalue of I_mis minus its bound with 0: Gaussian x, then other laws."""
    for snr_expert, snr_gate, cosine in list(lab.grid())[::2]:
        information = lab.information(snr_expert, snr_gate, cosine)
        bound = _gaussian_bound(snr_expert, snr_gate, cosine, power, decay)
        where = at(snr_expert, snr_gate, cosine, law="normal")
        yield _order(information.plane, bound, where)
    rng = lab.rng("S1")
    for k, size in enumerate((0.1, 0.5, 2.0)):
        X = rng.standard_normal((6, 2))
        beta, w = size * rng.standard_normal((2, 2))
        missing = _second_moments(X, _missing_given_x(X @ beta, X @ w))
        bound = _second_moments(X, _bound_given_x(X @ beta, X @ w, power, decay))
        yield _order(missing, bound, {"law": f"six points, draw {k}", "X": X, "beta": beta, "w": w})


def _order(missing, bound, where):
    scale = float(np.linalg.eigvalsh(bound)[-1])
    excess = float(np.linalg.eigvalsh(missing - bound)[-1])
    return Comparison(0.0, excess, _ROUNDING * (1.0 + scale), scale, where)


def _gaussian_bound(snr_expert, snr_gate, cosine, power, decay):
    """E[sech(b/2)^power e^{-decay a^2} diag(1, 1/4) (x) xx'] in units of I_com, in the frame of the gate.

    Given the coordinate t along w*, the coordinate across it is Gaussian: only an integral over t is left.
    """
    along, across = snr_expert * cosine, snr_expert * np.sqrt((1 - cosine) * (1 + cosine))
    variance = 1 / (1 + 2 * decay * across**2)
    width = 1 / np.sqrt(1 + 2 * decay * along**2 * variance)
    rate = power * snr_gate * width
    v, weights = half_line(spacing(rate, _NATS), reach(rate / 2, _NATS))
    weights = (
        weights * normal_density(v) * sech(snr_gate * width * v / 2) ** power * width * np.sqrt(variance)
    )
    t, drift = width * v, -2 * decay * along * across * variance
    tt, total = (weights * t * t).sum(), weights.sum()
    block = np.array([[tt, drift * tt], [drift * tt, drift**2 * tt + variance * total]])
    return whiten(np.kron(np.diag([1.0, 0.25]), block), [1.0, 1.0, *logistic_information(snr_gate, _NATS)])


def _missing_given_x(a, b):
    """E_y[4 p (1 - p) [y^2, y/2; y/2, 1/4]] from the definition, shape (n, 2, 2)."""
    y = np.arange(-10.0, 10.0, 0.02)
    a, b = a[:, None], b[:, None]
    p = expit(b + 2 * a * y)
    density = expit(b) * normal_density(y - a) + expit(-b) * normal_density(y + a)
    mass = 4 * p * (1 - p) * density * 0.02
    corner, mixed, gate = ((mass * y**k).sum(axis=1) / 2 ** (2 - k) for k in (2, 1, 0))
    return np.moveaxis(np.array([[corner, mixed], [mixed, gate]]), -1, 0)


def _bound_given_x(a, b, power, decay):
    return (sech(b / 2) ** power * np.exp(-decay * a * a))[:, None, None] * np.diag([1.0, 0.25])


def _second_moments(X, blocks):
    return np.mean([np.kron(block, np.outer(x, x)) for x, block in zip(X, blocks)], axis=0)


CLAIM = Claim(
    id="S1-missing-information-bound",
    statement="I_mis(theta*) <= E[sech(b/2) e^(-a^2/2) diag(1, 1/4) (x) xx'] (linear experts, any x).",
    latex=r"I_{\mathrm{mis}}(\theta^*) \preceq"
    r" E_x[\mathrm{sech}(b/2)\, e^{-a^2/2}\, \mathrm{diag}(1, 1/4) \otimes xx']",
    source="derived",
    kind=Kind.UPPER_BOUND,
    measure=measure,
    sabotages=(
        Sabotage("e^(-a^2) for e^(-a^2/2)", {"decay": 1.0}),
        Sabotage("sech squared", {"power": 2}),
    ),
    assumptions=(linear_only,),
    proof="S1",
    scope="population",
)
