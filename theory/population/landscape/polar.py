r"""Nodes for x ~ N(0, I) in the plane (or on the line) of beta* and w*, for integrands away from theta*.

Such an integrand holds tanh(b/2 + a y) with a = x'beta and b = x'w for every beta and w of a region: it turns
sharply across lines through the origin, the more sharply the farther out. Polar coordinates with r = e^s fit
it: as a function of s most poles stay at the same distance whatever the parameters, and the step resolves the
others, of turns at targets far from zero (`_radial_step`). At every radius the directions gather where the
turns are (`directions`), and at every point of the plane the rule for the noise of y is as fine as the turn
in y that can be seen from there.

Every rule is trapezoidal, its step set by the nearest pole and by what its weight still counts: at radius r
only `nats` - r^2/2 nats are left to be paid for.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from emmd.theory.population.landscape.directions import directions, turns
from emmd.theory.population.spectrum.quadrature import normal_density, reach, spacing

__all__ = ["Bounds", "Cloud", "RegionError", "cloud"]

# Hessians hold polynomials in x and y of degree four, which weigh up to e^4 in the tails at 1e-8.
_MOMENTS = 4.0
# Nats for the factors in front of e^(-2 pi eta / h), from Hessians at the worst parameters of regions: for
# narrow cones, and what is added, times the sine of the angle, for wide ones.
_FACTOR, _WIDE = 2.0, 1.0
# The loss holds e^2/2, without any turn: a few nodes more make its rule exact.
_SMOOTH = 8.0
# Width of the strip of s = log r. For labels e^(-r^2/2) alone limits it: less than r^2/2 of growth, with a
# part kept to stay integrable off the line. Gaussian targets meet zeros of y at r = |e| / |beta*|.
_STRIP = {True: 0.44, False: math.asin(math.sqrt(0.4))}
# Share of the mean of y below which a turn counts as one at y = 0.
_FLAT = 1e-3
# Fewest noise nodes a point needs, for an early estimate of what a region costs.
_SPARSE = 12


class RegionError(ValueError):
    """A region needs more nodes than allowed."""


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
    angle : float
        Largest angle between beta and the line of beta*, in radians; for labels it is not used.
    least : float
        Smallest norm of beta; the rules do not use it.
    """

    expert: float
    gate: float
    true_expert: float
    true_gate: float
    gaussian: bool
    angle: float = math.pi / 2
    least: float = 0.0

    def expert_along(self, off):
        """Return the largest |u'beta| for unit vectors u at angles `off` from the line across beta*."""
        return self.expert * np.sin(np.minimum(self.angle + off, math.pi / 2))


@dataclass(frozen=True)
class Cloud:
    """Weighted points (x, e): x in the plane, its first axis along beta*; e the noise of a Gaussian target.

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


class _Shell(NamedTuple):
    """All at one radius: points of the plane, their weights, and the noise rule of each of them.

    `half` counts the nodes to either side of zero noise; labels have two values and no rule.
    """

    x: np.ndarray
    weights: np.ndarray
    steps: np.ndarray
    half: np.ndarray


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
    RegionError
        If the region needs more than `max_nodes` nodes.
    """
    radii, radial = _radii(bounds, dimension, nats)
    factor = _FACTOR + _WIDE * math.sin(bounds.angle)
    rest = np.maximum(nats + factor - radii**2 / 2, 1.0)
    circles = [turns(bounds, *pair) for pair in zip(radii, rest)] if dimension == 2 else [None] * len(radii)
    sparse = _SPARSE if bounds.gaussian else 2
    _afford(sparse * sum(2 if c is None else c.n for c in circles), bounds, nats, max_nodes)
    shells = [_shell(bounds, circle, *row) for circle, row in zip(circles, zip(radii, radial, rest))]
    _afford(sum(2 * int(shell.half.sum()) for shell in shells), bounds, nats, max_nodes)
    parts = [_points(shell) if bounds.gaussian else _labelled(shell) for shell in shells]
    return Cloud(*(np.concatenate(columns) for columns in zip(*parts)))


def _afford(n_nodes, bounds, nats, max_nodes):
    if n_nodes > max_nodes:
        cone = f" within {math.degrees(bounds.angle):.3g} degrees of beta*" if bounds.gaussian else ""
        raise RegionError(
            f"region leaves the domain: ||beta|| <= {bounds.expert:.3g}{cone} and ||w|| <= "
            f"{bounds.gate:.3g} need {n_nodes:.2g} or more nodes at tol = {math.exp(-nats):.1g}, "
            f"max_nodes is {max_nodes}; raise max_nodes, loosen tol (nodes grow like the cube of its digits) "
            f"or ask for a smaller region around theta_star (radius=, starts= or region=)"
        )


def _radii(bounds, dimension, nats):
    """Radii e^s and weights for int r^(k-1) e^(-r^2/2) dr, normalised over all directions."""
    step = _radial_step(bounds, nats + _MOMENTS)
    # losses far from theta* weigh what is left out with the square of SNR_e
    tail = nats + 2 * _MOMENTS + math.log1p(bounds.true_expert**2)
    first, last = -tail / dimension, math.log(reach(0.0, tail))
    radii = np.exp(step * np.arange(math.floor(first / step), math.ceil(last / step) + 1))
    surface = 2 * math.pi if dimension == 2 else 2.0
    peak = surface / math.sqrt(2 * math.pi) ** dimension
    return radii, step * peak * radii**dimension * np.exp(-radii * radii / 2)


def _radial_step(bounds, nats):
    """Step of s = log r that resolves the turns of the region, too, where they cross the rays.

    Along a ray with w opposed to beta the turn b/2 + a y = 0 lies at y = y0 > 0, where its slope in s is at
    most r |w| a*/(2 y0), and at most r |beta| a*: a pole is at pi/2 over that. Reaching y0 with the noise
    e = y0 - a* costs e^2/2 nats. As the noise is averaged, too, s may pass the pole by a distance t if the
    noise makes up for it, at the growth (a* t)^2/2; the cheaper of all these is the step.
    """
    strip = _STRIP[bounds.gaussian]
    uniform = 2 * math.pi * strip / nats
    if not bounds.gaussian or bounds.gate == 0 or bounds.true_expert == 0:
        # without a mean the target is noise, which does not move along the ray
        return uniform
    height = np.geomspace(1e-3 * strip, strip, 60)
    radii = np.linspace(0.05, 1.0, 40)[:, None, None] * math.sqrt(2 * nats)
    noise = np.linspace(0.0, 1.0, 24)[:, None] * math.sqrt(2 * nats)
    mean = radii * bounds.true_expert
    turn = np.maximum(mean - noise, _FLAT * mean)
    slope = radii * np.minimum(bounds.gate * mean / (2 * turn), bounds.expert * mean)
    pole = math.pi / 2 / slope
    growth = (mean * np.maximum(height - pole, 0.0)) ** 2 / 2
    left = nats + _weight(turn, radii) - radii**2 / 2 - (mean - turn) ** 2 / 2
    density = ((left + growth) / height).min(axis=-1).max()
    return min(uniform, 2 * math.pi / density)


def _weight(y, radius):
    """Nats by which a Hessian weighs a turn at a target y at some radius: the factor y^2 x^2."""
    return np.log1p((y * radius) ** 2)


def _shell(bounds, circle, radius, weight, left):
    vectors, shares = (np.array([[1.0], [-1.0]]), np.full(2, 0.5)) if circle is None else directions(circle)
    along = vectors[:, 0]
    if not bounds.gaussian:
        return _Shell(radius * vectors, weight * shares, along, np.ones(along.size))
    steps = _noise_steps(bounds, radius, along, left)
    half = np.ceil(reach(0.0, left + _MOMENTS) / steps)
    return _Shell(radius * vectors, weight * shares, steps, half)


def _noise_steps(bounds, radius, along, left):
    """Steps of the noise e at points with cosines `along` to beta*, shape (n,).

    For z = 1 y is a* + e. Seen from a point tanh(b/2 + a y) turns at y = -b/(2 a) with the slope a, and the
    noise that leads there costs its square; the worst |a| is looked for up to its largest.
    """
    mean = radius * bounds.true_expert * np.abs(along)[:, None]
    off = np.arcsin(np.clip(np.abs(along), 0.0, 1.0))[:, None]
    projected = bounds.expert_along(off) * np.geomspace(1e-3, 1.0, 12)
    noise = np.maximum(mean - bounds.gate / (2 * np.maximum(projected, 1e-300)), 0.0)
    rest = left + _weight(mean - noise, radius) - noise**2 / 2
    steps = np.where(rest > 0, spacing(2 * radius * projected, np.maximum(rest, 0.1)), np.inf)
    return np.minimum(steps.min(axis=1), spacing(0.0, left + _SMOOTH))


def _points(shell):
    """Nodes of the noise between the lattice points, in pairs +-e without a zero."""
    half = shell.half.astype(int)
    point = np.repeat(np.arange(half.size), half)
    count = np.arange(point.size) - np.repeat(np.cumsum(half) - half, half)
    noise = (count + 0.5) * shell.steps[point]
    chance = normal_density(noise)
    weights = chance * (shell.weights / (2 * np.bincount(point, chance)))[point]
    x = shell.x[point]
    return np.concatenate([x, x]), np.concatenate([noise, -noise]), np.concatenate([weights, weights])


def _labelled(shell):
    return shell.x, np.zeros(len(shell.x)), shell.weights
