r"""EM's path from a start, followed in balls.

Every iterate is a float vector with a bound e_t of the distance |P_t^-1 (theta_t - float vector)| to the
exact one. With g = grad B at the float vector of t, the exact next iterate solves
grad A(theta+) = grad B(theta_t), and on the ball of radius e around the next float vector
hess A >= m P^-T P^-1. So the solution lies in it when

    m e > |P'(grad A(next) - g)| + K e_t,

where K bounds P' hess B P_t on the ball around the last vector. Curvatures change at most by e^(2 delta)
where no argument moves by more than delta, for |f'| <= 2 f.
"""

import functools
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from emmd.theory.certificates.balls import (
    NotProved,
    around,
    ball,
    balls,
    congruent,
    exact_matrix,
    flint,
    identity,
    norm,
    require_below,
    root,
    shown,
    symmetric_norm,
)
from emmd.theory.certificates.parts.guesses import natural_frame

_MARGIN = 2.0**-16
"""Share of the level that is left free: rounded down to six digits it still lies above the entry."""


@dataclass(frozen=True)
class Point:
    """A float vector on the path with what the next step needs.

    Attributes
    ----------
    theta : ndarray of shape (p,)
    frame : arb_mat
        P_t.
    image : list of arb
        grad B.
    missing, complete : arb_mat
        hess B and hess A.
    mirror : list of arb
        grad A.
    error : arb
        e_t.
    """

    theta: np.ndarray
    frame: Any
    image: list
    mirror: list
    missing: Any
    complete: Any
    error: Any


class Follower:
    """Steps of EM in balls."""

    def __init__(self, rows, floats):
        self.rows, self.floats = rows, floats
        unit = identity(rows.p)
        # the longest row bounds how far any argument moves
        lengths = chain.from_iterable(rows.lengths(term, unit) for term in (*rows.mirror, rows.posterior))
        self.longest = functools.reduce(lambda longest, each: longest.max(each.upper()), lengths, ball(0))

    def start(self, theta0):
        """Return the `Point` of an exact start."""
        return self._point(theta0, ball(0))

    def step(self, point):
        """Return the `Point` after an EM step, or raise `NotProved`."""
        image = self.floats.em_step(point.theta)
        if not np.isfinite(image).all():
            raise NotProved("the M-step fails: its solution is not finite in floats")
        after = self._point(image, ball(0))
        residual = _times(after.frame, [a - b for a, b in zip(after.mirror, point.image)])
        left = norm(residual) + self._growth(point, after.frame) * point.error
        error = (2 * left).upper()
        lowest = 1 - symmetric_norm(congruent(after.complete, after.frame) - identity(self.rows.p))
        lowest = lowest * (-2 * self._drift(after.frame, error)).exp()
        if not lowest * error > left:
            raise NotProved(f"the next iterate cannot be enclosed: {shown(lowest * error)} <= {shown(left)}")
        return replace(after, error=(left / lowest).upper())

    def _point(self, theta, error):
        frame, _ = natural_frame(self.floats.complete(theta), self.floats.missing(theta))
        predictors = self.rows.predictors(balls(theta))
        slopes = [
            (term, term.slopes(self.rows.arguments(term, predictors)))
            for term in (*self.rows.mirror, self.rows.posterior)
        ]
        curvatures = [(term, term.curvatures(each)) for term, each in slopes]
        first, second = self.rows.first, self.rows.second
        return Point(
            theta,
            exact_matrix(frame),
            image=first(slopes[-1:]),
            mirror=first(slopes[:-1]),
            missing=second(curvatures[-1:]),
            complete=second(curvatures[:-1]),
            error=error,
        )

    def _drift(self, frame, error):
        """Return a bound of the move of any argument when z moves by `error`."""
        return norm(frame.entries()) * self.longest * error

    def _growth(self, point, frame):
        """Return K: |P' B P_t|^2 <= |P' B P| |P_t' B P_t| for B >= 0."""
        both = [symmetric_norm(congruent(point.missing, each)) for each in (frame, point.frame)]
        return root(both[0] * both[1]) * (2 * self._drift(point.frame, point.error)).exp()


def _times(frame, vector):
    """Return frame' vector."""
    return (frame.transpose() * flint.arb_mat(len(vector), 1, vector)).entries()


def prove_entry(rows, floats, optimum, theta0, steps, level, progress=None):
    """Prove that EM from theta0 is within {D_A(theta*, .) <= level} after some steps.

    Parameters
    ----------
    rows : Rows
    floats : FloatRows
    optimum : Optimum
    theta0 : ndarray of shape (p,)
    steps : int
    level : float
    progress : callable, optional
        Called as ``progress(t, steps)``.

    Returns
    -------
    arb
        D_A(theta*, theta_steps).

    Raises
    ------
    NotProved
    """
    follower = Follower(rows, floats)
    point = follower.start(theta0)
    for t in range(steps):
        point = follower.step(point)
        if progress is not None:
            progress(t + 1, steps)
    theta = [around(x, point.error * norm(row)) for x, row in zip(balls(point.theta), point.frame.tolist())]
    reached = divergence(rows, optimum.theta, theta)
    require_below(
        reached,
        ball(level) * (1 - ball(_MARGIN)),
        f"D_A(theta*, theta_{steps}) < {level:.4g} after {steps} steps",
    )
    return reached


def divergence(rows, target, theta):
    """Return D_A(target, theta) as a ball."""
    total = flint.arb(0)
    at_target, at_theta = rows.predictors(target), rows.predictors(theta)
    for term in rows.mirror:
        u, v = rows.arguments(term, at_target), rows.arguments(term, at_theta)
        for weight, a, b in zip(rows.weights, u, v):
            total += weight * _of_row(term.quadratic, a, b)
    return total


def _of_row(quadratic, a, b):
    if quadratic:
        return (a - b) * (a - b) / 2
    return a.cosh().log() - b.cosh().log() - b.tanh() * (a - b)
