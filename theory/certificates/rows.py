r"""The two symmetric models in balls: their formulas on exact data, and nothing else.

With a = x'beta / sigma, b = x'w and G = log cosh the average loss is A - B up to a constant,

    SymMoLinE:  A = E[a^2/2 + G(b/2)],   B = E[G(b/2 + a y/sigma)],
    SymMoLogE:  A = E[G(a/2) + G(b/2)],  B = E[G(b/2 + a y/2)],

and E-step and M-step together solve grad A(theta+) = grad B(theta). Every term is a function of one number
v'theta, v = (k x, l x); all sums over rows are products of matrices of balls with monomials of the features.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from emmd.theory.certificates import scalar
from emmd.theory.certificates.balls import ball, balls, exact_matrix, flint, matrix, root

_CHUNK = 2048
"""Rows whose monomials of degree three are held at once."""


@dataclass(frozen=True)
class Term:
    """A sum over rows of one function of v'theta, v = (k x, l x).

    Attributes
    ----------
    quadratic : bool
        The function is u^2/2 instead of G.
    expert : list of arb, or arb
        k, for each row or for all.
    gate : arb
        l.
    """

    quadratic: bool
    expert: Any
    gate: Any

    def coefficients(self, n):
        """Return k of every row."""
        return self.expert if isinstance(self.expert, list) else [self.expert] * n

    @cached_property
    def powers(self):
        """k to the powers 0 to 3: balls, or lists of them, one for each row."""
        if not isinstance(self.expert, list):
            return [self.expert**m for m in range(4)]
        powers = [[flint.arb(1)] * len(self.expert)]
        for _ in range(3):
            powers.append([a * b for a, b in zip(powers[-1], self.expert)])
        return powers

    def moments(self, values, degree):
        """Return value k^(degree - m) l^m of every row for m = 0..degree; None stands for zeros."""
        found: list[list | None] = []
        for m in range(degree + 1):
            power, gate = self.powers[degree - m], self.gate**m
            if isinstance(power, list):
                found.append([value * k * gate for value, k in zip(values, power)])
            else:
                both = power * gate
                found.append(None if both.is_zero() else [value * both for value in values])
        return found

    def slopes(self, u):
        """Return the first derivative at every row's argument."""
        return list(u) if self.quadratic else [scalar.slope(each) for each in u]

    def curvatures(self, slopes):
        """Return the second derivative from the first."""
        return [flint.arb(1)] * len(slopes) if self.quadratic else [scalar.curvature(each) for each in slopes]

    def bends(self, slopes):
        """Return the third derivative from the first."""
        return [flint.arb(0)] * len(slopes) if self.quadratic else [scalar.bend(each) for each in slopes]


class Rows:
    """Weighted rows of a symmetric model.

    Parameters
    ----------
    model : str
        ``"symmoline"`` or ``"symmologe"``.
    X : ndarray of shape (n, d)
    y, weights : ndarray of shape (n,)
        Weights are divided by their sum in balls.
    sigma : float

    Attributes
    ----------
    mirror : list of Term
        Those of A.
    posterior : Term
        That of B.
    """

    def __init__(self, model, X, y, weights, sigma):
        self.n, self.d = X.shape
        self.p = 2 * self.d
        self.columns = X.T.copy()
        self.X = exact_matrix(X)
        given = balls(weights)
        total = sum(given, flint.arb(0))
        self.weights = [each / total for each in given]
        self.pairs = list(combinations_with_replacement(range(self.d), 2))
        self._squares = matrix(zip(*(self._products(pair, 0, self.n) for pair in self.pairs)))
        half = ball(0.5)
        if model == "symmoline":
            unit = ball(sigma)
            seen = [value / (unit * unit) for value in balls(y)]
            self.mirror = [Term(True, 1 / unit, ball(0)), Term(False, ball(0), half)]
        else:
            seen = [value / 2 for value in balls(y)]
            self.mirror = [Term(False, half, ball(0)), Term(False, ball(0), half)]
        self.posterior = Term(False, seen, half)

    def _products(self, indices, start, stop):
        """Return a product of columns of the features for some rows."""
        factors = [balls(self.columns[j][start:stop]) for j in indices]
        out = factors[0]
        for factor in factors[1:]:
            out = [a * b for a, b in zip(out, factor)]
        return out

    def predictors(self, theta):
        """Return x'beta and x'w of every row for a list of p balls."""
        columns = matrix(zip(theta[: self.d], theta[self.d :]))
        both = (self.X * columns).entries()
        return both[::2], both[1::2]

    def arguments(self, term, predictors):
        """Return v'theta of every row."""
        expert, gate = predictors
        of_expert = term.coefficients(self.n)
        return [k * a + term.gate * b for k, a, b in zip(of_expert, expert, gate)]

    def first(self, pairs):
        """Return E[sum of value v] over (term, values) pairs, a list of p balls."""
        sums = self._weighted(pairs, 1)
        return [each for row in (matrix(sums) * self.X).tolist() for each in row]

    def second(self, pairs):
        """Return E[sum of value vv'] over (term, values) pairs, a p x p matrix of balls."""
        packed = (matrix(self._weighted(pairs, 2)) * self._squares).tolist()
        place = {pair: k for k, pair in enumerate(self.pairs)}
        return matrix(
            [
                [packed[(i >= self.d) + (j >= self.d)][place[self._pair(i, j)]] for j in range(self.p)]
                for i in range(self.p)
            ]
        )

    def _pair(self, i, j):
        return tuple(sorted((i % self.d, j % self.d)))

    def third(self, pairs):
        """Return E[sum of value v (x) v (x) v], a list of p matrices of balls."""
        triples = list(combinations_with_replacement(range(self.d), 3))
        packed: Any = None
        weighted = self._weighted(pairs, 3)
        for start in range(0, self.n, _CHUNK):
            stop = min(start + _CHUNK, self.n)
            cubes = matrix(zip(*(self._products(triple, start, stop) for triple in triples)))
            part = matrix([row[start:stop] for row in weighted]) * cubes
            packed = part if packed is None else packed + part
        return self._unpacked(packed.tolist(), {triple: k for k, triple in enumerate(triples)})

    def _unpacked(self, packed, place):
        def entry(*indices):
            row = sum(index >= self.d for index in indices)
            return packed[row][place[tuple(sorted(index % self.d for index in indices))]]

        every = range(self.p)
        return [matrix([[entry(i, j, k) for k in every] for j in every]) for i in every]

    def _weighted(self, pairs, degree):
        """Return, for m = 0..degree, the sum over pairs of weight value k^(degree - m) l^m, by rows."""
        sums = [[flint.arb(0)] * self.n for _ in range(degree + 1)]
        for term, values in pairs:
            scaled = [c * value for c, value in zip(self.weights, values)]
            for m, row in enumerate(term.moments(scaled, degree)):
                if row is not None:
                    sums[m] = [old + each for old, each in zip(sums[m], row)]
        return sums

    def lengths(self, term, frame):
        """Return |frame' v| of every row, for a p x p matrix of balls."""
        quadratic = (frame * frame.transpose()).tolist()
        blocks = [
            [self._form(quadratic, i, j, pair) for pair in self.pairs] for i, j in ((0, 0), (0, 1), (1, 1))
        ]
        forms = (self._squares * matrix(blocks).transpose()).tolist()
        of_expert, gate = term.coefficients(self.n), term.gate
        return [
            root(k * k * aa + 2 * k * gate * ab + gate * gate * bb)
            for k, (aa, ab, bb) in zip(of_expert, forms)
        ]

    def _form(self, quadratic, row, column, pair):
        """Return the coefficient of x_i x_j in a block of a quadratic form."""
        i, j = pair
        first = quadratic[row * self.d + i][column * self.d + j]
        return first if i == j else first + quadratic[row * self.d + j][column * self.d + i]


def flat(vectors: Any) -> np.ndarray:
    """Return the midpoints of balls as floats."""
    return np.array([float(each.mid()) for each in vectors])
