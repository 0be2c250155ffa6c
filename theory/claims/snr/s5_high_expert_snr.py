r"""S5: high expert SNR alone is not enough: with a parallel gate, SNR_g = rho SNR_e, the rate has a limit.

As SNR_e grows only x'beta* = O(1) carries missing information. On that scale, tau = SNR_e t for the
coordinate t along beta*, the density of t is flat, both scores are functions of tau, and the gate's block
keeps the ratio

    int tau^k E_y[4 p (1 - p)] d tau / int tau^k sech^2(rho tau / 2) d tau,

k = 2 along beta* and 0 across it. The expert's blocks vanish like SNR_e^-3 and SNR_e^-1. With an orthogonal
gate the missing information is confined in both directions, and SNR_e times the rate has a limit instead.
"""

import numpy as np
from scipy.integrate import quad
from scipy.special import expit, k0

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import linear_only
from emmd.theory.population.spectrum.quadrature import half_line, normal_density, sech

_RATIOS = (0.1, 0.3, 1.0, 3.0, 10.0)
# With a parallel gate rates approach their limits like 1 / SNR_e; with an orthogonal one SNR_e times the rate
# does so like 1 / SNR_e^2. Two SNRs remove that term.
_HIGH, _HIGH_ORTHOGONAL = 1e8, 1e4
_STEP, _END = 0.025, 10.0


def measure(lab, says="limits", orthogonal=1.0):
    """Compare extrapolated spectra with the limits: parallel gates, d = 1 and 3, then orthogonal ones."""
    for ratio in _RATIOS:
        (line, across), rule_error = lab.once(("S5", ratio), lambda rho=ratio: _refined(rho))
        for d, limit in ((1, line), (3, max(line, across))):
            value, error = _parallel_rate(lab, ratio, d)
            predicted = limit if says == "limits" else 0.0
            where = {"ratio": ratio, "cosine": 1.0, "d": d, "limit of": "rate"}
            yield Comparison(predicted, value, error + rule_error, 1.0, where, part="parallel")
    constants = lab.once(("S5", "orthogonal"), _orthogonal_constants)
    for ratio in _RATIOS[1:4]:
        for d, constant in ((2, constants[0]), (3, max(constants))):
            value, error = _orthogonal_rate(lab, ratio, d)
            where = {"ratio": ratio, "cosine": 0.0, "d": d, "limit of": "SNR_e * rate"}
            yield Comparison(orthogonal * constant, value, error + 1e-9, 1.0, where, part="orthogonal")


def _parallel_rate(lab, ratio, d):
    """Limit of the rate and a bound of its error: what is left is 1 / SNR_e of what is removed."""
    spectra = [lab.spectrum(snr, ratio * snr, 1.0) for snr in (_HIGH, 2 * _HIGH)]
    first, second = (s.rate(d) for s in spectra)
    return 2 * second - first, 3 * spectra[1].error + 100 * abs(second - first) / _HIGH


def _orthogonal_rate(lab, ratio, d):
    """Limit of SNR_e times the rate and a bound of its error."""
    snrs = (_HIGH_ORTHOGONAL, 2 * _HIGH_ORTHOGONAL)
    spectra = [lab.spectrum(snr, ratio * snr, 0.0) for snr in snrs]
    first, second = (snr * s.rate(d) for snr, s in zip(snrs, spectra))
    rounding = 3 * snrs[1] * max(s.error for s in spectra)
    return (4 * second - first) / 3, rounding + 100 * abs(second - first) / _HIGH_ORTHOGONAL


def _refined(rho):
    """The limits, and the change under the last halving of the step: an upper bound of what is left."""
    coarse, fine = (_parallel_limits(rho, step) for step in (2 * _STEP, _STEP))
    return fine, max(abs(a - b) for a, b in zip(coarse, fine)) + 1e-14


def _parallel_limits(rho, step):
    """Limits along beta* and across it, by a product rule over tau and y from the definition of p."""
    tau, weights = half_line(step, _END)
    y = np.arange(-2 * _END, 2 * _END + step, step)
    a, b = tau[:, None], rho * tau[:, None]
    p = expit(b + 2 * a * y)
    density = expit(b) * normal_density(y - a) + expit(-b) * normal_density(y + a)
    missing = (4 * p * expit(-b - 2 * a * y) * density).sum(axis=1) * step
    return [
        float((weights * tau**k * missing).sum() / complete)
        for k, complete in ((2, 4 * np.pi**2 / (3 * rho**3)), (0, 4 / rho))
    ]


def _orthogonal_constants():
    """Limits of SNR_e times the gate's eigenvalues along w* and across; z = a y has density K_0 / pi."""
    across = quad(lambda z: 2 / np.pi * k0(z) * z / np.sinh(z), 0, 60, epsabs=1e-12, limit=200)[0]
    tau = np.arange(-60.0, 60.0, 0.1)
    flat = (tau**2 * sech(tau / 2) ** 2).sum()
    along = quad(lambda z: _overlap(z, tau) * k0(abs(z)) / np.pi / flat, 0, 60, epsabs=1e-12, limit=200)[0]
    return 2 * along, across


def _overlap(z, tau):
    """Sum over tau of tau^2 sech(tau/2) sech(tau/2 + z), even in z."""
    return (tau**2 * sech(tau / 2) * sech(tau / 2 + z)).sum()


CLAIM = Claim(
    id="S5-high-expert-snr",
    statement="With w* parallel to beta* and SNR_g = rho SNR_e -> infinity, lambda_max tends to an"
    " integral in (0, 1); with w* orthogonal SNR_e lambda_max tends to a constant.",
    latex=r"w^* \parallel \beta^*: \lambda_{\max} \to \max_{k \in \{0, 2\}}"
    r" \frac{\int \tau^k E_y[4p(1-p)] d\tau}{\int \tau^k \mathrm{sech}^2(\rho\tau/2) d\tau}; \quad"
    r" w^* \perp \beta^*: \lambda_{\max} = O(1/\mathrm{SNR}_e)",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("high expert SNR alone is enough", {"says": "the limit is 0"}),
        Sabotage("an orthogonal gate's constant off in the third digit", {"orthogonal": 1.001}, truth=1.0),
    ),
    assumptions=(linear_only,),
    resolution=1e-6,
    scope="population",
)
