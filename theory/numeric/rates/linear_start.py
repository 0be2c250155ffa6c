"""Starts so close to an optimum that a map is its linearisation, in eigencoordinates of M.

An error e = theta - theta* is written as V c with V the eigenvectors of M, orthonormal in the metric of
I_com: then M multiplies c by the eigenvalues.
"""

import numpy as np

from emmd.core.checks import DomainError
from emmd.theory.numeric.bounds.rounding import inner_rounding
from emmd.theory.numeric.rates.settle import settle

_SEEN = 1e-6

_OFF = 1e-4
"""Share of a step, whose terms of third order are left."""

_PART = 0.1
"""First distance from the optimum over sqrt(1 - lambda_max): there fourth-order terms of the loss count."""


def start_length(lab):
    """Return the length, in the metric of I_com, from which a response is followed to its limit."""
    return _PART * (1.0 - lab.information.rate) ** 0.5


def coordinates(lab, theta):
    """Return c with theta - theta* = V c, shape (p,)."""
    return lab.information.vectors.T @ (lab.information.complete @ (theta - lab.reference.theta))


def from_coordinates(lab, c):
    """Return theta* + V c, shape (p,)."""
    return lab.reference.theta + lab.information.vectors @ c


def slow_start(lab, power):
    """Return coordinates of unit length in which a slow mode weighs (1 - lambda)^-power, shape (p,)."""
    c = (1.0 - lab.information.eigenvalues) ** -power
    return c / np.linalg.norm(c)


def map_error(lab):
    """Return a bound of the error of one map evaluation at theta*, in the metric of I_com."""
    error = lab.gradient_error(lab.reference.theta) + inner_rounding(lab.problem, 1e-13, lab.reference.theta)
    return float(error @ np.sqrt((lab.information.vectors**2).sum(axis=1)))


def response_error(lab):
    """Return a bound of the error of an evaluation's distance from theta*, in the metric of I_com."""
    return 20.0 * (map_error(lab) + lab.optimum_error)


def odd_part(lab, advance, c, length, amplification=1.0):
    """Return the linear response of a map to c, and a bound of its error, both of shape (p,).

    The mean over both signs of the start has an error of second order in the length, which is halved until
    the response settles.

    Parameters
    ----------
    advance : callable
        theta -> theta; coordinates of its value over `length` are the response.
    c : ndarray of shape (p,)
    length : float
        To begin with.
    amplification : float
        How many errors of one evaluation of EM's map the response holds, at most.
    """
    error = amplification * response_error(lab)
    found = settle(lambda h: _odd(lab, advance, c, h), length, lambda h: error / h)
    return found.value, found.error


def _odd(lab, advance, c, length):
    """Return the response, and by how much both signs differ: what a safeguard does on one side only."""
    starts = [from_coordinates(lab, sign * length * c) for sign in (1.0, -1.0)]
    if not all(lab.model.in_domain(start) for start in starts):
        raise DomainError("a start must lie in the model's domain")
    plus, minus = (coordinates(lab, advance(start)) for start in starts)
    return (plus - minus) / (2.0 * length), float(np.abs(plus + minus).max() / (2.0 * length))


def steps_off_the_gauge(lab):
    """EM's steps next to the optimum have no part along directions in which nothing changes.

    The norms of an acceleration see such a part, which a user's M-step may have, and no spectrum knows of it.
    """
    if lab.gauge == 0:
        return ""
    c = slow_start(lab, 0.0)
    ends = [from_coordinates(lab, sign * start_length(lab) * c) for sign in (1.0, -1.0)]
    if not all(lab.model.in_domain(end) for end in ends):
        return "a start next to the optimum leaves the model's domain"
    plus, minus = (lab.em_step(end).theta - end for end in ends)
    step = plus - minus
    seen = lab.information.vectors @ (lab.information.vectors.T @ (lab.information.complete @ step))
    off = np.linalg.norm(lab.scale * (step - seen)) / np.linalg.norm(lab.scale * step)
    return "" if off < _OFF else "the steps of EM have a part along directions in which nothing changes"


def moves(lab, before, after, start):
    """Return whether a step from `before` to `after` is seen beside the start's distance from theta*."""
    step, distance = (
        np.linalg.norm(lab.scale * gap) for gap in (after - before, start - lab.reference.theta)
    )
    return bool(step > _SEEN * distance)


def loss_rises(lab, before, after):
    """Return whether the linear theory sees the quadratic loss rise, or nearly, between two errors."""
    curvature = 1.0 - lab.information.eigenvalues
    return bool(curvature @ after**2 > 0.99 * (curvature @ before**2))
