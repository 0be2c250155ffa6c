r"""S3: mixed linear regression (w* = 0, d >= 2): the rate as an integral, and its constants at high SNR.

The product z = y v of two standard normals has density K_0(|z|) / pi; weighted with y^2 it has
|z| K_1(|z|) / pi.
"""

import numpy as np
from scipy.integrate import quad
from scipy.special import k0, k1

from emmd.theory.claim import Claim, Comparison, Kind, Sabotage
from emmd.theory.population.lab import at, linear_only

_SNRS = np.geomspace(3e-2, 1e3, 9)
# SNR * lambda = C + O(SNR^-2): two SNRs remove the next term
_HIGH = 1e3


def measure(lab, factor=1.0, law="power", exponent=-0.5):
    """Compare both eigenvalues and the rate with Bessel integrals, then the two constants."""
    for snr in _SNRS.tolist():
        spectrum = lab.spectrum(snr, 0.0, 1.0)
        envelope = (1 + snr**2) ** exponent if law == "power" else float(np.exp(-(snr**2) / 2))
        values, errors = _integrals(snr / np.sqrt(1 + snr**2))
        observed = [*spectrum.orthogonal_eigenvalues, spectrum.rate(2)]
        for name, value, error, seen in zip(
            ("expert", "gate", "rate"), [*values, values[1]], [*errors, errors[1]], observed
        ):
            budget = spectrum.error + error * envelope
            where = at(snr, 0.0, 1.0, eigenvalue=name)
            yield Comparison(value * envelope, float(seen), budget, value * envelope, where)
    if law == "power" and exponent == -0.5:
        yield from _constants(lab, factor)


def _constants(lab, factor):
    values, errors = _integrals(1.0)
    first, second = (snr * lab.spectrum(snr, 0.0, 1.0).orthogonal_eigenvalues for snr in (_HIGH, 2 * _HIGH))
    limit = (4 * second - first) / 3
    for name, value, error, seen in zip(("expert", "gate"), values, errors, limit):
        # what the extrapolation leaves is the square of what it removes
        budget = error + 6 * _HIGH * lab.spectrum(_HIGH, 0.0, 1.0).error + 100 / _HIGH**4
        where = {"constant": name, "snr_expert": (_HIGH, 2 * _HIGH)}
        yield Comparison(factor * value, float(seen), budget, value, where)


def high_snr_constants():
    """Return the limits of SNR * lambda_gate, 0.8119..., and SNR * lambda_expert, 0.6117..., by name."""
    expert, gate = _integrals(1.0)[0]
    return {"gate": gate, "expert": expert}


def _integrals(scale):
    """E[y^2 sech(scale y v)] and E[sech(scale y v)], and bounds of their errors."""
    sides = (lambda z: z * k1(z), k0)
    pairs = [quad(_integrand, 0, 60, args=(side, scale), epsabs=1e-13, epsrel=0, limit=200) for side in sides]
    return [value for value, _ in pairs], [error for _, error in pairs]


def _integrand(z, side, scale):
    return 2 / np.pi * side(z) / np.cosh(scale * z)


CLAIM = Claim(
    id="S3-mixed-regression-law",
    statement="With w* = 0 the two eigenvalues are E[sech(y a_v)] and E[y^2 sech(y a_v)] over"
    " sqrt(1 + SNR^2); SNR times them tends to 0.8119... and 0.6117...",
    latex=r"\lambda_{gate} = E[\mathrm{sech}(y a_v)] / \sqrt{1 + \mathrm{SNR}^2},\quad"
    r" \lambda_{expert} = E[y^2 \mathrm{sech}(y a_v)] / \sqrt{1 + \mathrm{SNR}^2}",
    source="derived",
    kind=Kind.IDENTITY,
    measure=measure,
    sabotages=(
        Sabotage("constant off in the third digit", {"factor": 1.001}),
        Sabotage("exponent -3/4", {"exponent": -0.75}),
        Sabotage("e^(-SNR^2 / 2)", {"law": "exponential"}),
    ),
    assumptions=(linear_only,),
    resolution=1e-8,
    scope="population",
)
