"""The two symmetric models at one row, to 50 digits, from the joint density."""

import mpmath

DIGITS = 50


def log_sigmoid(t):
    """Return log(1 / (1 + e^-t)) without cancellation."""
    return -mpmath.log1p(mpmath.exp(-t)) if t > 0 else t - mpmath.log1p(mpmath.exp(t))


def sigmoid(t):
    """Return 1 / (1 + e^-t)."""
    return 1 / (1 + mpmath.exp(-t))


def divergence(u, v):
    """Return KL( Bern(sigmoid(v)) || Bern(sigmoid(u)) ).

    With both logits flipped so that v <= 0, the difference below loses only twice the digits of u - v.
    """
    u, v = mpmath.mpf(u), mpmath.mpf(v)
    if v > 0:
        u, v = -u, -v
    return -log_sigmoid(-u) + log_sigmoid(-v) - sigmoid(v) * (u - v)


def log_joint(name, a, b, y, z):
    """Return log p(y, z | x)."""
    if name == "symmoline":
        return log_sigmoid(z * b) - (y - z * a) ** 2 / 2 - mpmath.log(2 * mpmath.pi) / 2
    return log_sigmoid(z * b) + log_sigmoid(y * z * a)


def score(name, a, b, y, z):
    """Return the derivatives of the log joint in a and b."""
    expert = z * (y - z * a) if name == "symmoline" else y * z * sigmoid(-y * z * a)
    return expert, z * sigmoid(-z * b)


def row(name, a, b, y):
    """Return the loss, P(z = 1), P(z = -1), and the derivatives of the loss in a and b."""
    a, b, y = (mpmath.mpf(value) for value in (a, b, y))
    plus, minus = (log_joint(name, a, b, y, z) for z in (1, -1))
    top, gap = max(plus, minus), abs(plus - minus)
    loss = -top - mpmath.log1p(mpmath.exp(-gap))
    p, q = sigmoid(plus - minus), sigmoid(minus - plus)
    pairs = zip(score(name, a, b, y, 1), score(name, a, b, y, -1))
    return loss, p, q, *(-(p * s + q * t) for s, t in pairs)
