r"""One stationary point and no other: existence and uniqueness next to a computed optimum.

In coordinates theta = centre + P z with P' hess A P ~ I: if hess L >= m in the order of matrices on |z| <= r,
and |P' grad L(centre)| < m r, then L is strictly convex on the ball and grows towards its sphere. So the ball
holds one stationary point, a minimum, and at most |P' grad L(centre)| / m away from its centre.

The bound of hess L holds row by row: |v'P z| <= r |P'v|, so the infimum of A's curvatures and the supremum of
B's on intervals of that half-width are non-negative multiples of rank-one matrices, and bound it everywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.theory.certificates import scalar
from emmd.theory.certificates.balls import (
    NotProved,
    around,
    ball,
    balls,
    congruent,
    exact_matrix,
    identity,
    norm,
    require_below,
    require_positive,
)
from emmd.theory.certificates.parts.guesses import natural_frame
from emmd.theory.certificates.rows import flat

_REFINED = 3
"""Newton steps with an inverse that is good to half of the digits of a float: each gains that many."""


@dataclass(frozen=True)
class Optimum:
    """The stationary point theta*, and coordinates around it.

    Attributes
    ----------
    theta : list of arb
        Balls that hold theta*.
    frame : arb_mat
        P, exact.
    values : ndarray of shape (p,)
        Approximate eigenvalues of M, ascending, one for each column of P.
    radius : arb
        r in Euclidean units: no other stationary point is that close to the computed optimum.
    error : arb
        Bound of the Euclidean distance between theta* and the computed optimum.
    """

    theta: list
    frame: Any
    values: np.ndarray
    radius: Any
    error: Any


def prove_optimum(rows, floats, computed, radius, convexity):
    """Prove that there is one stationary point around a computed optimum, and enclose it.

    Parameters
    ----------
    rows : Rows
    floats : FloatRows
    computed : ndarray of shape (p,)
    radius : float
        r, in the coordinates z.
    convexity : float
        m.

    Returns
    -------
    Optimum

    Raises
    ------
    NotProved
    """
    frame, values = natural_frame(floats.complete(computed), floats.missing(computed))
    P = exact_matrix(frame)
    try:
        inverse = P.inv()
    except ZeroDivisionError:
        raise NotProved("hess A > 0 fails: it is singular to 128 bits") from None
    centre, left = _refined(rows, computed, frame, values, P)
    reach = _Reach(rows, centre, P, radius)
    require_positive(
        congruent(reach.hessian(), P) - identity(rows.p, convexity),
        f"hess L >= {convexity:.3g} hess A within {radius:.3g} of the optimum",
    )
    require_below(left, ball(convexity) * radius, "|grad L| < m r at the computed optimum")
    away = left / convexity
    theta = [around(c, away * norm(row)) for c, row in zip(centre, P.tolist())]
    error = norm([a - b for a, b in zip(theta, balls(computed))])
    shift = norm([a - b for a, b in zip(centre, balls(computed))])
    # |P^-1 (theta - centre)| <= |P^-1| (|theta - computed| + shift)
    return Optimum(theta, P, values, ball(radius) / norm(inverse.entries()) - shift, error)


def require_within(optimum: Optimum, radius: float, error: float) -> None:
    """Prove that theta* is that near to the computed optimum, and alone within the radius; or `NotProved`."""
    require_below(optimum.error, ball(error), "the distance from the computed optimum")
    require_below(ball(error), ball(radius), "theta* within the radius of uniqueness")
    require_below(ball(radius), optimum.radius, "the radius of uniqueness")


def _refined(rows, computed, frame, values, P):
    """Return a centre closer to theta* than floats can be, and |P' grad L| there."""
    centre = balls(computed)
    if not values[-1] < 1.0:
        raise NotProved(f"lambda_max(M) < 1 fails at the computed optimum: it is about {values[-1]:.6g}")
    gain = 1.0 / (1.0 - values)
    for _ in range(_REFINED):
        step = frame @ (gain * flat(_whitened(_gradient(rows, centre), P)))
        centre = [(c - s).mid() for c, s in zip(centre, balls(step))]
    return centre, norm(_whitened(_gradient(rows, centre), P))


def _whitened(vector, P):
    return [sum((a * b for a, b in zip(column, vector)), ball(0)) for column in P.transpose().tolist()]


def _gradient(rows, theta):
    """Return grad L."""
    predictors = rows.predictors(theta)
    pairs = [(term, term.slopes(rows.arguments(term, predictors))) for term in rows.mirror]
    posterior = rows.posterior.slopes(rows.arguments(rows.posterior, predictors))
    return rows.first([*pairs, (rows.posterior, [-each for each in posterior])])


class _Reach:
    """Suprema and infima, row by row, of the curvatures on a ball."""

    def __init__(self, rows, centre, P, radius):
        self.rows = rows
        predictors = rows.predictors(centre)
        r = ball(radius)
        self.reached = {
            id(term): list(
                zip(rows.arguments(term, predictors), (r * each for each in rows.lengths(term, P)))
            )
            for term in (*rows.mirror, rows.posterior)
        }

    def hessian(self):
        """Return a matrix that hess L is nowhere below on the ball."""
        pairs = []
        for term in self.rows.mirror:
            reached = self.reached[id(term)]
            if term.quadratic:
                pairs.append((term, term.curvatures(reached)))
            else:
                pairs.append((term, [scalar.smallest_curvature(*each) for each in reached]))
        largest = [scalar.largest_curvature(*each) for each in self.reached[id(self.rows.posterior)]]
        return self.rows.second([*pairs, (self.rows.posterior, [-each for each in largest])])
