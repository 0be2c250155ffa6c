r"""A basin that EM never leaves, and in which every step shrinks D_A(theta*, .) by a proved factor.

On a linear model set, with L = A - B, for one EM step from theta to theta+,

    D_A(theta*, theta+) = D_B(theta*, theta) - (L(theta+) - L*) - D_B(theta+, theta).              (1)

**What is proved in balls.** D_B(theta*, theta) <= rho D_A(theta*, theta) wherever |z| <= r,
theta = theta* + P z, with some rho < 1; and D_A(theta*, theta) > c wherever |z| = r.

**What follows.** Along a ray D_A(theta*, theta* + s h) grows with s, its derivative being s h' hess A h. So
K = {D_A(theta*, .) <= c} is star-shaped and lies within |z| < r. On it D_A - D_B >= 0, which along a ray
psi(s) = L(theta* + s h) says psi(0) - psi(s) + s psi'(s) >= 0: so (psi(s) - psi(0)) / s grows from its
limit psi'(0) = 0, and L >= L* on K. EM is continuous (hess A > 0 everywhere once it is at theta*, for the
features are then independent) and leaves theta* where it is. Were theta+ outside K for some theta in K, then
on the way from theta* to theta some point would be taken to the boundary of K, where D_A(theta*, .) = c; but
(1) gives at most rho c < c there. So EM stays in K, (1) holds there with L(theta+) >= L*, and

    D_A(theta*, theta_t) <= rho^t D_A(theta*, theta_0),   t >= 0,
    L(theta_t) - L* <= rho^t D_A(theta*, theta_0),        t >= 1.

**The inequality in rho.** Each row's divergence lies below w t^2/2 + theta f' t^3/3 (`scalar`), those of A
above the like; summed, what is to be shown is z'Q z >= (2/3) T[z, z, z] for |z| <= r, with
Q = rho E[w_A vv'] - E[w_B vv'] and T = -theta E[rho f'_A v(x)v(x)v - f'_B v(x)v(x)v]. T[z, z, z] = z' M(z) z
for any M(z) = sum_i z_i M_i with (M_i)_jk = 3 omega_i T_ijk where the three weights of every triple add up to
1. With R' Q R >= q, M_i' = R' M_i R and |sum z_i M_i'|^2 <= |z|^2 |sum M_i'^2| it suffices that

    sum_i M_i'^2 < (3 q / (2 r))^2.

The weights are free. A triple keeps most of its weight on the slowest mode, whose Q is smallest: so the other
two stand in the matrix, and the square root of the small number divides instead of the number itself.
"""

import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from emmd.theory.certificates import scalar
from emmd.theory.certificates.balls import (
    NotProved,
    ball,
    congruent,
    exact_matrix,
    identity,
    matrix,
    require_below,
    require_positive,
    root,
    shown,
    smallest_pivot,
    symmetric_norm,
)


@dataclass(frozen=True)
class BasinPlan:
    """What a proof of a basin is tried with; floats, none of them trusted.

    Attributes
    ----------
    rho : float
    radius : float
        r.
    level : float
        c.
    cubic : float
        theta, the share of the third-order term that is not bounded row by row.
    power : float
        The weights are omega_i = e_i / (e_i + e_j + e_k), e_i = (rho - lambda_i)^-power.
    level_cubic : float
        theta in the bound of D_A on the sphere.
    """

    rho: float
    radius: float
    level: float
    cubic: float
    power: float
    level_cubic: float


class Basin:
    """Rows at theta*, with their reach in the ball |z| <= r."""

    def __init__(self, rows, optimum, plan):
        self.rows, self.frame, self.plan, self.values = rows, optimum.frame, plan, optimum.values
        predictors = rows.predictors(optimum.theta)
        self.at = {}
        for term in (*rows.mirror, rows.posterior):
            lengths = rows.lengths(term, optimum.frame)
            reach = [(ball(plan.radius) * each).upper() for each in lengths]
            self.at[id(term)] = rows.arguments(term, predictors), reach

    def prove(self):
        """Prove both inequalities, or raise `NotProved`."""
        require_below(ball(self.plan.rho), ball(1), "rho < 1")
        if not (self.plan.radius > 0 and self.plan.level > 0):
            raise NotProved("no radius is left for a basin: r > 0 fails")
        self._prove_level()
        self._prove_contraction()

    def _envelopes(self, term, bound, share):
        if term.quadratic:
            return term.curvatures(self.at[id(term)][0])
        return [bound(u, reach, share) for u, reach in zip(*self.at[id(term)])]

    def _prove_level(self):
        """D_A(theta*, .) is at least z' E[w_A vv'] z / 2 + theta E[f'_A (v'z)^3] / 3."""
        mirror, bends, share = [], [], ball(self.plan.level_cubic)
        for term in self.rows.mirror:
            mirror.append((term, self._envelopes(term, scalar.lower_envelope, share)))
            bends.append((term, [share * each for each in self._bends(term)]))
        r, c = ball(self.plan.radius), ball(self.plan.level)
        tensor = _transformed(self.rows.third(bends), self.frame)
        third = root(symmetric_norm(sum_of_squares(tensor)))
        square = congruent(self.rows.second(mirror), self.frame)
        require_positive(
            square - identity(self.rows.p, 2 * c / (r * r) + 2 * r * third / 3),
            f"D_A(theta*, .) > {self.plan.level:.4g} at the distance {self.plan.radius:.4g}",
        )

    def _prove_contraction(self):
        share, rho = ball(self.plan.cubic), ball(self.plan.rho)
        pairs, bends = [], []
        for term in self.rows.mirror:
            pairs.append((term, [rho * each for each in self._envelopes(term, scalar.lower_envelope, share)]))
            bends.append((term, [-rho * share * each for each in self._bends(term)]))
        posterior = self.rows.posterior
        pairs.append(
            (posterior, [-each for each in self._envelopes(posterior, scalar.upper_envelope, share)])
        )
        bends.append((posterior, [share * each for each in self._bends(posterior)]))
        square = congruent(self.rows.second(pairs), self.frame)
        says = f"D_B(theta*, .) <= {self.plan.rho:.6g} D_A(theta*, .) within {self.plan.radius:.4g}"
        half, q = _normaliser(square, says)
        tensor = _transformed(self.rows.third(bends), self.frame)
        total = sum_of_squares(congruent(each, half) for each in self._multiplied(tensor))
        limit = 3 * q / (2 * ball(self.plan.radius))
        require_positive(identity(self.rows.p, limit * limit) - total, f"{says}, its third-order part,")

    def _bends(self, term):
        return term.bends(term.slopes(self.at[id(term)][0]))

    def _multiplied(self, tensor):
        """Yield M_i, whose entries are 3 omega_i T_ijk."""
        gaps = np.maximum(self.plan.rho - self.values, 1e-12 * self.plan.rho)
        share = [ball(each) for each in (gaps / gaps[-1]) ** -self.plan.power]
        every = range(self.rows.p)
        for i in every:
            yield matrix(
                [
                    [3 * share[i] / (share[i] + share[j] + share[k]) * tensor[i][j, k] for k in every]
                    for j in every
                ]
            )


def sum_of_squares(matrices: Iterable) -> Any:
    """Return the sum of the squares of matrices of balls: |sum z_i M_i|^2 <= |z|^2 |sum M_i^2|."""
    squares = [each * each for each in matrices]
    return functools.reduce(operator.add, squares)


def _normaliser(square, says):
    """Return an exact R with R' Q R ~ I, and a ball q with R' Q R >= q."""
    middle = np.array([[float(each.mid()) for each in row] for row in square.tolist()])
    try:
        half = exact_matrix(np.linalg.inv(np.linalg.cholesky((middle + middle.T) / 2)).T)
    except np.linalg.LinAlgError:
        lowest = float(np.linalg.eigvalsh(middle)[0]) if np.isfinite(middle).all() else np.nan
        raise NotProved(f"{says} fails: its quadratic part has the eigenvalue {lowest:.3g} below 0") from None
    q = ball(1.0 - 1e-9)
    scaled = congruent(square, half)
    pivot = smallest_pivot(scaled - identity(square.nrows(), q))
    if not pivot > 0:
        raise NotProved(f"{says} fails: its quadratic part has the pivot {shown(pivot)}")
    return half, q


def _transformed(tensor: list, frame: Any) -> list:
    """Return T[P ., P ., P .] from T, a list of matrices."""
    inner = [congruent(each, frame) for each in tensor]
    columns = frame.transpose().tolist()
    return [
        functools.reduce(operator.add, (each * weight for weight, each in zip(column, inner)))
        for column in columns
    ]
