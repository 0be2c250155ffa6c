r"""Directions in the plane of beta* and w*, dense where a population problem turns sharply.

Along x = r (cos f, sin f), f from beta*, the posterior turns across lines on which b/2 + a y = 0. For beta at
an angle up to psi from the line of beta* those lines lie within about psi of a* = 0, where y is still small
or, farther out, where y is large and the turn the sharper. Everywhere else tanh(b/2 + a y) has long settled.
So f is the Jacobi amplitude of a uniform variable t: periodic, analytic up to |Im t| = pi/2 at least, and
df/dt = sqrt(cos^2 f + focus^2 sin^2 f), which is `focus` at a* = 0 and grows in proportion to the distance.
A trapezoidal rule in t costs only the logarithm of 1/focus.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ellipj, ellipkm1

__all__ = ["Turns", "directions", "turns"]

_FEWEST = 6
# Nats for the factor in front of e^(-2 pi eta / h): sharp turns count at many noises and radii at once.
_TURNS = {True: 3.0, False: 7.0}
# Distance of the amplitude's own singularities, less what the Gaussian's growth costs.
_STRIP = 1.2
_TINY = 1e-9


class Turns(NamedTuple):
    """How many directions, and how much denser they are at a* = 0 than along beta*.

    Attributes
    ----------
    n : int
        Even; a multiple of four when graded.
    focus : float
        Between 0 and 1; 1 for uniform directions.
    """

    n: int
    focus: float


def turns(bounds, radius, left):
    """Choose the directions at one radius.

    Parameters
    ----------
    bounds : Bounds
    radius : float
    left : float
        Accuracy in nats that the weight of this radius still asks for.

    Returns
    -------
    Turns
    """
    if not bounds.gaussian:
        slope = max(bounds.gate + bounds.expert, bounds.true_gate, bounds.true_expert) / 2
        count = (left + _TURNS[False]) / math.asinh(math.pi / (2 * radius * max(slope, _TINY)))
        return Turns(2 * math.ceil(max(count, _FEWEST) / 2), 1.0)
    narrowest = min(0.9, 0.3 / (1 + bounds.true_expert * radius))
    off = np.concatenate([[0.0], np.geomspace(narrowest / 10, math.pi / 2, 60)])
    wanted = _density(bounds, radius, left, off)
    focuses = [1.0, *np.geomspace(0.9, narrowest, 25).tolist()]
    count, focus = min((_count(focus, off, wanted, left), focus) for focus in focuses)
    return Turns(4 * math.ceil(max(count, _FEWEST) / 4), focus)


def directions(chosen):
    """Unit vectors and their shares of the circle.

    Parameters
    ----------
    chosen : Turns

    Returns
    -------
    vectors : ndarray of shape (n, 2)
        The first coordinate is along beta*.
    shares : ndarray of shape (n,)
        Positive, sum 1 up to the accuracy.
    """
    step = _period(chosen.focus) / chosen.n
    t = step * (np.arange(chosen.n) + 0.5)
    if chosen.focus == 1.0:
        return np.stack([np.cos(t), np.sin(t)], axis=1), np.full(chosen.n, 1 / chosen.n)
    sine, cosine, slope, _ = ellipj(t, 1 - chosen.focus**2)
    return np.stack([cosine, sine], axis=1), slope * step / (2 * math.pi)


def _period(focus):
    return 2 * math.pi if focus == 1.0 else 4 * float(ellipkm1(focus**2))


def _count(focus, off, wanted, left):
    """Directions that reach the `wanted` density everywhere, for one focus."""
    stretch = np.sqrt((focus * np.cos(off)) ** 2 + np.sin(off) ** 2)
    own = 0.0 if focus == 1.0 else (left + _TURNS[True]) / (2 * math.pi * _STRIP)
    return _period(focus) * max((wanted * stretch).max(), own)


def _density(bounds, radius, left, off):
    """Directions per radian wanted at angles `off` from the line a* = 0, shape (n,).

    Turning by i eta moves a predictor of norm R by i R r sinh(eta); the pole of b/2 + a y is at i pi/2. Where
    b/2 + a y = 0 its slope in the angle is at most r |beta| |y| + r SNR_e |a| + r |w|/2: |a| is at most
    |b|/(2 |y|), and beta so far off its cone has |beta| at most |w| / (2 |y| sin(distance)). A noise e costs
    e^2/2 nats.
    """
    noise = np.linspace(-1.0, 1.0, 25) * math.sqrt(2 * left)
    off = off[:, None]
    y = np.maximum(np.abs(radius * bounds.true_expert * np.sin(off) + noise), _TINY)
    beyond = np.maximum(np.sin(np.maximum(off - bounds.angle, 0.0)), _TINY)
    norm = np.minimum(bounds.expert, bounds.gate / (2 * y * beyond))
    projected = np.minimum(bounds.expert_along(off), bounds.gate / (2 * y))
    slope = radius * (norm * y + radius * bounds.true_expert * projected + bounds.gate / 2)
    slope = np.maximum(slope, radius * max(bounds.true_gate / 2, _TINY))
    cost = left + _TURNS[True] - noise**2 / 2
    return (cost / (2 * math.pi * np.arcsinh(math.pi / 2 / slope))).max(axis=1)
