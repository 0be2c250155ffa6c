"""The Bregman divergence of softplus, which is the KL divergence of two Bernoulli laws.

``D(u, v) = softplus(u) - softplus(v) - sigmoid(v) (u - v) = KL( Bern(sigmoid(v)) || Bern(sigmoid(u)) )``,
computed to full relative accuracy: by subtraction everything below 1e-15 would be lost.
"""

from emmd.kernels.compile.jit import kernel, scalar
from emmd.kernels.maths.elementary import expm1, log1p, sigmoid, softplus
from emmd.kernels.rows.blocks import CHUNK


@scalar
def _series(step, mean):
    # cumulants 2 to 9 of a Bernoulli law; |step| <= 0.05 leaves a remainder below 1e-15 relative
    k2 = mean * (1.0 - mean)
    skew = 1.0 - 2.0 * mean
    k4 = 1.0 - 6.0 * k2
    k5 = skew * (1.0 - 12.0 * k2)
    k6 = 1.0 - 30.0 * k2 + 120.0 * k2 * k2
    k7 = skew * (1.0 - 60.0 * k2 + 360.0 * k2 * k2)
    k8 = 1.0 - 126.0 * k2 + 1680.0 * k2 * k2 - 5040.0 * k2 * k2 * k2
    k9 = skew * (1.0 - 252.0 * k2 + 5040.0 * k2 * k2 - 20160.0 * k2 * k2 * k2)
    tail = k6 / 720.0 + step * (k7 / 5040.0 + step * (k8 / 40320.0 + step * k9 / 362880.0))
    return (
        k2
        * step
        * step
        * (0.5 + step * (skew / 6.0 + step * (k4 / 24.0 + step * (k5 / 120.0 + step * tail))))
    )


@scalar
def bernoulli_divergence(u, v):
    """Return ``KL( Bern(sigmoid(v)) || Bern(sigmoid(u)) )`` for two logits.

    Uses D(u, v) = D(-u, -v) to keep the reference mean at most 1/2, then the
    cumulant series for small steps, log1p / expm1 for middle ones and the
    definition for large ones, where it cancels nothing.
    """
    sign = -1.0 if v > 0.0 else 1.0
    mean = sigmoid(sign * v)
    step = sign * (u - v)
    if abs(step) <= 0.05:
        return _series(step, mean)
    if abs(step) <= 0.7:
        return log1p(mean * expm1(step)) - mean * step
    return softplus(sign * u) - softplus(sign * v) - mean * step


@kernel
def divergence_rows(first, last, partials, u, v, c):
    """Chunk kernel: ``sum_i c_i D(u_i, v_i)``."""
    n = u.shape[0]
    for chunk in range(first, last):
        # a local sum: adding to the array inside the loop is vectorised or not depending on addresses
        total = 0.0
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, n)):
            total += c[i] * bernoulli_divergence(u[i], v[i])
        partials[chunk, 0] = total
