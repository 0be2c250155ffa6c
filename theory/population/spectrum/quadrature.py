"""Trapezoidal rules for a standard normal times sech factors, with an error set in advance.

On an infinite line the trapezoidal rule with step h errs by about e^(-2 pi eta / h) times the size of the
integrand at a distance eta above the line, for any eta below its nearest pole. Every integrand here is a
polynomial times e^(-v^2/2) times factors sech with poles at distances pi / rate, so the best step is known
beforehand and does not depend on luck. Accuracy is asked for in nats: n nats is an error of about e^-n.
"""

import math

import numpy as np

__all__ = ["frequency_rule", "half_line", "normal_density", "reach", "sech", "spacing"]


def sech(x):
    """Return 1 / cosh(x) for an array, without overflow."""
    decay = np.exp(-np.abs(x))
    return 2 * decay / (1 + decay * decay)


def normal_density(x):
    """Return the standard normal density e^(-x^2/2) / sqrt(2 pi) at an array."""
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def spacing(rate, nats):
    """Step that resolves a standard normal times a function with poles at distance pi / `rate`.

    Parameters
    ----------
    rate : float or ndarray
        Non-negative; pi over the distance of the nearest pole.
    nats : float or ndarray
        Accuracy.

    Returns
    -------
    float or ndarray
        The h with 2 pi eta / h - eta^2 / 2 = `nats`. The second term is the growth of the normal density off
        the line; it is why eta = sqrt(2 nats) is far enough even without a pole.
    """
    height = math.pi / np.maximum(rate, math.pi / np.sqrt(2 * nats))
    return 2 * math.pi * height / (nats + height**2 / 2)


def reach(rate, nats):
    """Point beyond which e^(-v^2/2 - `rate` v) stays below e^-`nats`."""
    return 2 * nats / (rate + np.sqrt(rate**2 + 2 * nats))


def half_line(step, end):
    """Nodes 0, h, 2h, ... past `end` and weights 2h (h at 0): the whole line, for an even integrand.

    Parameters
    ----------
    step, end : float

    Returns
    -------
    nodes, weights : ndarray of shape (n,)
    """
    nodes = step * np.arange(math.ceil(end / step) + 1)
    weights = np.full(nodes.size, 2 * step)
    weights[0] = step
    return nodes, weights


def frequency_rule(nats):
    """Rule for the Fourier representation sech(z) = int (1/2) sech(pi omega / 2) e^(i omega z) d omega.

    Parameters
    ----------
    nats : float
        Accuracy.

    Returns
    -------
    omega, weights : ndarray of shape (n,)
        omega >= 0; the weights hold (1/2) sech(pi omega / 2) and both signs of omega.

    Notes
    -----
    What the weights multiply grows no faster than the inverse fourth power of the distance to omega = i. The
    best line to shift to is then 4 / n below it for n nats, which costs 4 + 4 log(n / 4) of them; they are
    paid in advance.
    """
    paid = nats + 4 + 4 * math.log(nats / 4)
    omega, weights = half_line(2 * math.pi / paid, 2 * nats / math.pi)
    return omega, weights * sech(math.pi * omega / 2) / 2
