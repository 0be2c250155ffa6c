"""The widest basin and ball that a proof is likely to reach, found in floats before anything is proved.

Every condition here is that of the proof, in floats and with a margin: see `optimum` and `basin`.
"""

import math
from dataclasses import replace
from functools import cached_property
from itertools import product

import numpy as np

from emmd.theory.certificates.balls import NotProved
from emmd.theory.certificates.parts.basin import BasinPlan
from emmd.theory.certificates.parts.guesses import log_cosh, natural_frame, sech_squared
from emmd.theory.certificates.scalar import CELLS, RATIO

_CUBIC = (0.7, 0.85, 1.0)
_POWERS = (0.0, 0.5, 1.0, 2.0)
_HALVINGS = 12
_WIDEST = 8.0
"""In coordinates where hess A = 1: no basin was seen beyond 1."""

_NARROWEST = 1e-9
"""A basin that is no wider is not worth a proof."""

_MARGIN = 1e-3
"""Share of a radius or a level that is given away to rounding."""


class FloatBasin:
    """The quadratic and cubic parts of the proof of a basin, in floats.

    Parameters
    ----------
    floats : FloatRows
    theta : ndarray of shape (p,)
        The computed optimum.
    """

    def __init__(self, floats, theta):
        self.floats = floats
        self.frame, self.values = natural_frame(floats.complete(theta), floats.missing(theta))
        self.terms = []
        for term in (*floats.mirror, floats.posterior):
            self.terms.append((term, term.v @ theta, np.linalg.norm(term.v @ self.frame, axis=1)))

    def convexity(self):
        """Return r and m: on |z| <= r hess L >= m, half of what it is at the optimum."""
        m = 0.5 * (1.0 - self.values[-1])
        return _widest(lambda r: self._least_hessian(r) > m * (1.0 + _MARGIN)), m

    def _least_hessian(self, r):
        total = 0.0
        for k, (term, u, length) in enumerate(self.terms):
            posterior = k == len(self.terms) - 1
            near = np.maximum(np.abs(u) - r * length, 0.0) if posterior else np.abs(u) + r * length
            values = term.curvatures(near)
            total = total + self.floats.second(term, -values if posterior else values)
        return np.linalg.eigvalsh(self.frame.T @ total @ self.frame)[0]

    def plan(self, rho):
        """Return the `BasinPlan` of the largest radius found.

        Raises
        ------
        NotProved
            When there is none.
        """
        best = BasinPlan(rho, 0.0, 0.0, _CUBIC[-1], _POWERS[-1], 0.0)
        for cubic, power in product(_CUBIC[::-1], _POWERS[::-1]):
            tensor = self._multiplied(rho, cubic, power)
            r = self._widest_basin(best.radius, rho, cubic, tensor)
            if r > best.radius:
                best = replace(best, radius=r, cubic=cubic, power=power)
        if not best.radius > 0.0:
            raise NotProved(
                f"D_B(theta*, .) <= {rho:.6g} D_A(theta*, .) fails even within {_NARROWEST:g} of theta*"
            )
        radius = best.radius * (1.0 - _MARGIN)
        level, share = max((self._level(radius, share), share) for share in (0.0, *_CUBIC))
        return replace(best, radius=radius, level=level, level_cubic=share)

    def _widest_basin(self, at_least, rho, cubic, tensor):
        """Return the largest radius of a shape, or `at_least` where it is no larger."""
        if not self._contracts(max(at_least, _NARROWEST), rho, cubic, tensor):
            return at_least
        # Q is largest at theta* itself
        limit = 1.5 / self._third_order(self.frame.T @ self._gap(rho) @ self.frame, tensor)
        low, high = at_least, min(limit, _WIDEST)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._contracts(middle, rho, cubic, tensor) else (low, middle)
        return low

    def _gap(self, rho):
        total = 0.0
        for term, u, _ in self.terms[:-1]:
            total = total + rho * self.floats.second(term, term.curvatures(u))
        term, u, _ = self.terms[-1]
        return total - self.floats.second(term, term.curvatures(u))

    @cached_property
    def _thirds(self):
        """E[f' v (x) v (x) v] of A and of B in the frame."""
        found = []
        for term, u, _ in self.terms:
            v = term.v @ self.frame
            bend = np.zeros_like(u) if term.quadratic else -2.0 * np.tanh(u) * sech_squared(u)
            pairs = (v[:, :, None] * v[:, None, :]).reshape(len(v), -1)
            found.append((v * (bend * self.floats.weights)[:, None]).T @ pairs)
        p = len(self.values)
        return sum(found[:-1]).reshape(p, p, p), found[-1].reshape(p, p, p)

    def _multiplied(self, rho, cubic, power):
        """Return the matrices M_i of the proof, shape (p, p, p)."""
        of_mirror, of_posterior = self._thirds
        gaps = np.maximum(rho - self.values, 1e-12 * rho)
        share = (gaps / gaps[-1]) ** -power
        total = share[:, None, None] + share[None, :, None] + share[None, None, :]
        return 3.0 * cubic * share[:, None, None] / total * (of_posterior - rho * of_mirror)

    def _contracts(self, r, rho, cubic, tensor):
        total = 0.0
        for k, (term, u, length) in enumerate(self.terms):
            posterior = k == len(self.terms) - 1
            values = _envelope(term, u, r * length, cubic, posterior)
            total = total + self.floats.second(term, -values if posterior else rho * values)
        third = self._third_order(self.frame.T @ total @ self.frame, tensor)
        return (2.0 / 3.0) * r * third < 1.0 - _MARGIN

    @staticmethod
    def _third_order(square, tensor):
        """Return the bound of T[z, z, z] / (|z| z' square z); infinite where square is not positive."""
        try:
            half = np.linalg.inv(np.linalg.cholesky(square)).T
        except np.linalg.LinAlgError:
            return np.inf
        scaled = half.T @ tensor @ half
        largest = np.linalg.eigvalsh((scaled @ scaled).sum(axis=0))[-1]
        return max(float(np.sqrt(max(largest, 0.0))), 1e-300)

    def _level(self, r, share):
        """Return what D_A(theta*, .) exceeds on the sphere."""
        total = 0.0
        for term, u, length in self.terms[:-1]:
            total = total + self.floats.second(term, _envelope(term, u, r * length, share, False))
        least = np.linalg.eigvalsh(self.frame.T @ total @ self.frame)[0]
        of_mirror = share * self._thirds[0]
        third = np.sqrt(np.abs((of_mirror @ of_mirror).sum(axis=0)).sum(axis=0).max())
        return float(max(0.5 * r * r * (least - 2.0 / 3.0 * r * third) * (1.0 - _MARGIN), 0.0))


def _widest(holds):
    """Return the largest radius at which a condition was seen to hold, by bisection; 0 for none."""
    low, high = 0.0, _WIDEST
    for _ in range(60):
        if holds(high) or high < 1e-12:
            break
        high *= 0.5
    low, high = (high, 2.0 * high) if high >= 1e-12 else (0.0, 0.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low * (1.0 - _MARGIN)


def _envelope(term, u, reach, cubic, upper):
    """Return the envelopes of `scalar` in floats."""
    if term.quadratic:
        return np.ones_like(u)
    sign = 1.0 if upper else -1.0
    top = sech_squared(np.maximum(np.abs(u) - reach, 0.0))
    bow = np.maximum(top * (6.0 * top - 4.0), 0.0) / 2 if upper else np.minimum(4.0 * top, 2.0 / 3.0) / 2
    near = np.minimum(reach, 1.0)
    here, tilt = sech_squared(u), -4.0 / 3.0 * cubic * np.tanh(u) * sech_squared(u)
    largest = sign * here
    for k in range(1, CELLS + 1):
        for t in (near * k / CELLS, -near * k / CELLS):
            largest = np.maximum(largest, sign * (_quotient(u, t, here) - tilt * t))
    largest += bow * (near / CELLS) ** 2 / 8
    far = reach > 1.0
    if far.any():
        largest[far] = _far(u[far], reach[far], tilt[far], sign, largest[far])
    return sign * largest


def _far(u, reach, tilt, sign, largest):
    """Bound sign * w beyond |t| = 1 by cells whose ends have a fixed ratio."""
    for k in range(math.ceil(math.log(reach.max()) / math.log(RATIO))):
        start = np.full_like(reach, RATIO**k)
        end = np.maximum(np.minimum(start * RATIO, reach), start)
        taken, over = (end, start) if sign > 0 else (start, end)
        for side in (1.0, -1.0):
            quotient = _quotient(u, side * taken, sech_squared(u)) * (taken / over) ** 2
            linear = np.maximum(-sign * tilt * side * start, -sign * tilt * side * end)
            bound = np.maximum(largest, sign * quotient + linear)
            largest = np.where(reach > start, bound, largest)
    return largest


def _quotient(u, t, here):
    """Return 2 D_G(u, u + t) / t^2, by its series where t is small."""
    small = np.abs(t) < 0.02
    safe = np.where(small, 1.0, t)
    exact = 2.0 * (log_cosh(u) - log_cosh(u + safe) + safe * np.tanh(u + safe)) / safe**2
    bend = -2.0 * np.tanh(u) * here
    series = here + 2.0 / 3.0 * bend * t + here * (4.0 - 6.0 * here) * t * t / 4.0
    # the next term of the series, |f'''| <= 4, weighs t^3 / 15
    return np.where(small, series, exact)
