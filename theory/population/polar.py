r"""Nodes for x ~ N(0, I) in the plane (or on the line) of beta* and w*, for integrands away from theta*.

Such an integrand holds tanh(b/2 + a y) with a = x'beta and b = x'w for every beta and w of a region: it turns
sharply across lines a = 0 through the origin, the more sharply the farther out. Polar coordinates with
r = e^s fit it. Along a ray a and b are multiples of r, so as a function of s the poles stay at Im s = +-pi/2
whatever the parameters; the number of angles follows r, and so does the rule for y.

Every rule is trapezoidal, its step set by the nearest pole and by what its weight still counts: at radius r
only `nats` - r^2/2 nats are left to be paid for.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from theory.population.quadrature import normal_density, reach, spacing

__all__ = ["Bounds", "Cloud", "cloud"]

_DIRECTIONS_ON_A_LINE = 2
_FEWEST = 6
# Hessians hold polynomials in x and y of degree four, which weigh up to e^4 in the tails at 1e-8.
_MOMENTS = 4.0
# Nats for the factors in front of e^(-2 pi eta / h), from Hessians at the worst parameters of regions: sharp
# turns count at many noises and radii at once, so the angles need more than the rest.
_FACTOR, _TURNS = 3.0, 7.0
# Part of the growth that e^(-r^2/2) could pay for; the rest keeps the integrand off the line integrable.
_USED = 0.8
_TINY = 1e-9


@dataclass(frozen=True)
class Bounds:
    """Norms of the parameters, in whitened coordinates and units of sigma.

    Attributes
    ----------
    expert, gate : float
        Largest norms of beta and w in the region.
    true_expert, true_gate : float
        Norms of beta* and w*, i.e. the two SNRs.
    gaussian : bool
        Whether y is Gaussian given x and z; otherwise it is a label.
    """

    expert: float
    gate: float
    true_expert: float
    true_gate: float
    gaussian: bool


@dataclass(frozen=True)
class Cloud:
    """Weighted points (x, e): x in the plane, e the noise of a Gaussian target.

    Attributes
    ----------
    x : ndarray of shape (n, k)
    noise : ndarray of shape (n,)
        Zero for labels, whose two values need no rule.
    weights : ndarray of shape (n,)
        Positive, sum 1 up to the accuracy.
    """

    x: np.ndarray
    noise: np.ndarray
    weights: np.ndarray


def cloud(bounds, dimension, nats, max_nodes):
    """Nodes for the averages of a region.

    Parameters
    ----------
    bounds : Bounds
    dimension : int
        k, 1 or 2.
    nats : float
        Accuracy: errors of about e^-nats.
    max_nodes : int

    Returns
    -------
    Cloud

    Raises
    ------
    ValueError
        If the region needs more than `max_nodes` nodes.
    """
    step, first, last = _radial_steps(bounds, dimension, nats)
    _afford(_FEWEST * (last - first + 1), bounds, nats, max_nodes)
    radii, radial = _radii(dimension, step, first, last)
    shells = [_Shell.at(bounds, dimension, nats, radius) for radius in radii]
    _afford(sum(2.0 * shell.angles * shell.half for shell in shells), bounds, nats, max_nodes)
    parts = [_points(dimension, r, weight, shell) for r, weight, shell in zip(radii, radial, shells)]
    return Cloud(*(np.concatenate(columns) for columns in zip(*parts)))


def _afford(n_nodes, bounds, nats, max_nodes):
    if n_nodes > max_nodes:
        raise ValueError(
            f"region leaves the domain: ||beta|| <= {bounds.expert:.3g} and ||w|| <= {bounds.gate:.3g} need "
            f"{n_nodes:.2g} or more nodes at tol = {math.exp(-nats):.1g}, max_nodes is {max_nodes}"
        )


def _radial_steps(bounds, dimension, nats):
    """Step in s = log r, and the first and last multiple of it."""
    # Off the real line by eta, e^(-r^2/2) and the density of y given x grow by r^2 sin^2(eta) (1 + SNR^2/2):
    # less than r^2/2 up to this eta.
    strength = bounds.true_expert if bounds.gaussian else 0.0
    step = 2 * math.pi * math.asin(math.sqrt(_USED) / math.hypot(math.sqrt(2), strength)) / (nats + _MOMENTS)
    first, last = -(nats + _MOMENTS) / dimension, math.log(reach(0.0, nats + _MOMENTS))
    return step, math.floor(first / step), math.ceil(last / step)


def _radii(dimension, step, first, last):
    """Radii e^s and weights for int r^(k-1) e^(-r^2/2) dr, normalised over all directions."""
    radii = np.exp(step * np.arange(first, last + 1))
    surface = 2 * math.pi if dimension == 2 else 2.0
    peak = surface / math.sqrt(2 * math.pi) ** dimension
    return radii, step * peak * radii**dimension * np.exp(-radii * radii / 2)


class _Shell(NamedTuple):
    """Nodes at one radius: directions, step of the noise, noise nodes to either side (labels: 1/2)."""

    angles: int
    step: float
    half: float

    @classmethod
    def at(cls, bounds, dimension, nats, radius):
        left = max(nats + _FACTOR - radius**2 / 2, 1.0)
        angles = _angles(bounds, radius, left) if dimension == 2 else _DIRECTIONS_ON_A_LINE
        if not bounds.gaussian:
            return cls(angles, 0.0, 0.5)
        step = float(spacing(2 * bounds.expert * radius, left))
        return cls(angles, step, math.ceil(reach(0.0, left + _MOMENTS) / step))

    def noise(self):
        """Nodes between the lattice points, in pairs +-e without a zero, and weights with sum 1."""
        if self.half < 1:
            return np.zeros(1), np.ones(1)
        noise = self.step * (np.arange(self.half) + 0.5)
        noise = np.concatenate([-noise[::-1], noise])
        weights = normal_density(noise)
        return noise, weights / weights.sum()


def _angles(bounds, radius, left):
    """Even number of directions that resolves one turn at a radius.

    Turning by i eta moves a predictor of norm R by i R r sinh(eta). The noise e that decides is the one whose
    own cost e^2/2 is worth paying for a nearer pole; and the density of y given x must not grow by more than
    what is left.
    """
    if bounds.gaussian:
        noise = np.linspace(0.0, math.sqrt(2 * left), 24)
        turned = radius * bounds.true_expert
        slope = np.maximum(bounds.gate / 2 + bounds.expert * (turned + noise), bounds.true_gate / 2)
        sine = np.minimum(math.pi / (2 * radius * slope), math.sqrt(2 * left) / max(turned, _TINY))
        cost = left + _TURNS - noise**2 / 2 + (turned * sine) ** 2 / 2
    else:
        slope = max(bounds.gate + bounds.expert, bounds.true_gate, bounds.true_expert) / 2
        sine, cost = math.pi / (2 * radius * max(slope, _TINY)), left + _TURNS
    turns = np.max(cost / np.arcsinh(sine))
    return 2 * math.ceil(max(turns, _FEWEST) / 2)


def _points(dimension, radius, weight, shell):
    noise, chance = shell.noise()
    turn = 2 * math.pi * (np.arange(shell.angles) + 0.5) / shell.angles
    direction = (
        np.stack([np.cos(turn), np.sin(turn)], axis=1) if dimension == 2 else np.array([[1.0], [-1.0]])
    )
    x = np.repeat(radius * direction, noise.size, axis=0)
    return x, np.tile(noise, shell.angles), np.tile(chance, shell.angles) * (weight / shell.angles)
