r"""Bounds of the missing information on segments and regions, row by row: sampled points are no bound.

Both symmetric models have hess A = E[g_a(a) xx'] (+) E[g_b(b) xx'] and I_mis = E[f(l) vv'] with l the log
odds of the posterior, linear in theta, v its derivative and f(t) = sech^2(t / 2) / 4. Along a segment l is
linear for every row, so f lies below its chord plus its bend,

    f(t_s) <= (1 - s) f(t_0) + s f(t_1) + min((t_1 - t_0)^2 / 8 sup -f'', sup f - min f),

and likewise above. Each row contributes a non-negative multiple of vv', so the bounds add up in the order of
matrices, and lambda_max of the pencils at the two ends bounds it everywhere between. The bend falls with the
square of the length: halving the worst piece brings the bound down to what is seen at the nodes.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from emmd.fits.pencil import pencil

_BENDS_DOWN = 1.3169578969248166
"""f'' < 0 exactly where |t| is below this: sech^2(t / 2) > 2/3."""

_EVIDENCE = {"symmoline": 2.0, "symmologe": 1.0}


def bump(t):
    """Return sech^2(t / 2) / 4 = sigmoid(t) sigmoid(-t)."""
    decayed = np.exp(-np.abs(t))
    return decayed / (1.0 + decayed) ** 2


@dataclass(frozen=True)
class Bound:
    """Bounds of the largest lambda_max(M) on a set.

    Attributes
    ----------
    upper : float
        No point of the set has more.
    lower : float
        Some point of the set has it.
    theta : ndarray of shape (p,)
        That point.
    """

    upper: float
    lower: float
    theta: np.ndarray


def halved(
    node: Callable[[float], Any], above: Callable[[Any, Any], float], tolerance: float, most: int
) -> tuple[float, Any]:
    """Bound a function on [0, 1], halving the worst piece until the bound is tight.

    Parameters
    ----------
    node : callable
        Takes s; what it returns has `s` and the function's `value` there.
    above : callable
        Takes two nodes and bounds the function between them.
    tolerance, most
        As in `Curvature.segment`.

    Returns
    -------
    upper : float
    lower : node
        The node of the largest value.
    """
    nodes = [node(s) for s in (0.0, 1.0)]
    lower = max(nodes, key=lambda each: each.value)
    # the position makes every entry of the heap comparable
    segments = [(-above(*nodes), 0.0, *nodes)]
    for _ in range(most):
        wanted = tolerance * max(min(abs(1.0 - lower.value), abs(lower.value)), 1e-3)
        if -segments[0][0] - lower.value <= wanted:
            break
        _, _, left, right = heapq.heappop(segments)
        middle = node(0.5 * (left.s + right.s))
        lower = max(lower, middle, key=lambda each: each.value)
        for pair in ((left, middle), (middle, right)):
            heapq.heappush(segments, (-above(*pair), pair[0].s, *pair))
    return -segments[0][0], lower


class Curvature:
    """The rows of a problem whose loss has a known formula, see `emmd.theory.numeric.derivatives.formula`.

    Parameters
    ----------
    problem : emmd.Problem
    formula : str or None
    strength : float
        nu of a conjugate prior that is added to this loss: hess A is then 1 + nu times as large, and I_mis is
        what it was, for pseudo-observations are complete.

    Raises
    ------
    ArithmeticError
        When no formula of the loss is known: there is no bound then.
    """

    def __init__(self, problem, formula, strength=0.0):
        if formula is None:
            raise ArithmeticError("no bound of the curvature over a region is known for this loss")
        self.linear_experts, self.weights = formula == "symmoline", problem.weights
        self.factor = 1.0 + strength
        y, model, data = problem.data.y, problem.model, problem.data
        rows = np.array([model.predictor_rows(data, e) for e in np.eye(problem.n_params)])
        self.a, self.b = rows[:, :, 0].T, rows[:, :, 1].T
        self.v = _EVIDENCE[formula] * y[:, None] * self.a + self.b

    @cached_property
    def _own(self):
        """E[aa'], the curvature of linear experts."""
        return self.a.T @ (self.weights[:, None] * self.a)

    def missing(self, values):
        """Return E[values vv']."""
        return self.v.T @ ((self.weights * values)[:, None] * self.v)

    def complete(self, of_a, of_b):
        """Return E[of_a aa' + of_b bb'], the first with 1 for linear experts."""
        gate = self.b.T @ ((self.weights * of_b)[:, None] * self.b)
        return gate + (self._own if of_a is None else self.a.T @ ((self.weights * of_a)[:, None] * self.a))

    def logits(self, theta):
        """Return the three logits of every row, (expert or None, gate, posterior)."""
        return None if self.linear_experts else self.a @ theta, self.b @ theta, self.v @ theta

    def segment(self, start, end, tolerance=0.01, most=60):
        """Bound lambda_max(M) on a segment, halving its worst piece until the bound is tight.

        Parameters
        ----------
        start, end : ndarray of shape (p,)
        tolerance : float
            Between the bound and the largest value at a node, relative to the smaller of 1 - lambda_max and
            lambda_max.
        most : int
            Pieces, at most.

        Returns
        -------
        Bound
        """
        upper, lower = halved(lambda s: self._node(start, end, s), self._above, tolerance, most)
        return Bound(upper, lower.value, start + lower.s * (end - start))

    def hull(self, points):
        """Bound lambda_max(M) on the convex hull of points, each row by its own range."""
        logits = [self.logits(theta) for theta in points]
        of_a, of_b, of_v = ([each[k] for each in logits] for k in range(3))
        low_a = None if self.linear_experts else np.min(bump(np.array(of_a)), axis=0)
        low_b = np.min(bump(np.array(of_b)), axis=0)
        high = _highest(np.min(of_v, axis=0), np.max(of_v, axis=0))
        return self._largest(self.missing(high), self.complete(low_a, low_b))

    def _node(self, start, end, s):
        logits = self.logits(start + s * (end - start))
        values = tuple(None if t is None else bump(t) for t in logits)
        missing, complete = self.missing(values[2]), self.complete(*values[:2])
        return _Node(s, logits, values, missing, complete, self._largest(missing, complete))

    def _above(self, left, right):
        """Bound lambda_max(M) between two nodes."""
        up = self.missing(_bend_up(left, right, 2))
        down = self.complete(
            None if self.linear_experts else _bend_down(left, right, 0), _bend_down(left, right, 1)
        )
        if self.linear_experts:
            down = down - self._own
        return max(self._largest(node.missing + up, node.complete - down) for node in (left, right))

    def _largest(self, missing, complete):
        """Return lambda_max of a pencil; infinite where the metric is not positive definite."""
        try:
            return float(pencil(missing, complete)[0][-1]) / self.factor
        except np.linalg.LinAlgError:
            return np.inf


@dataclass(frozen=True)
class _Node:
    s: float
    logits: tuple
    values: tuple
    missing: np.ndarray
    complete: np.ndarray
    value: float


def _highest(low, high):
    """Return the largest bump on an interval."""
    ends = np.maximum(bump(low), bump(high))
    return np.where((low <= 0.0) & (high >= 0.0), 0.25, ends)


def _between(left, right, k):
    t = np.minimum(left.logits[k], right.logits[k]), np.maximum(left.logits[k], right.logits[k])
    return t, _highest(*t), np.minimum(left.values[k], right.values[k])


def _bend_up(left, right, k):
    """Return by how much a bump may exceed its chord: -f'' <= 1/8 near 0, and f is convex elsewhere."""
    (low, high), largest, least = _between(left, right, k)
    bends = (low < _BENDS_DOWN) & (high > -_BENDS_DOWN)
    return np.where(bends, np.minimum((high - low) ** 2 / 64.0, largest - least), 0.0)


def _bend_down(left, right, k):
    """Return by how much a bump may fall short of its chord: f'' <= min(1/24, f)."""
    (low, high), largest, least = _between(left, right, k)
    ends = np.maximum(left.values[k], right.values[k])
    return np.minimum((high - low) ** 2 / 8.0 * np.minimum(1.0 / 24.0, largest), ends - least)
