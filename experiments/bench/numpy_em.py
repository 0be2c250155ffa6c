"""EM in vectorised NumPy and SciPy, on features kept in rows or in columns.

A layout says how linear predictors, moments and Gram matrices are computed; the rest is the same for both.
What does not depend on the iterate is factored once; Newton's method is warm-started, evaluates gradient and
Hessian together, and stops where emmd's does.
"""

from collections.abc import Callable

import numpy as np
from scipy import special
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from emmd.experiments.bench.baseline import Baseline, Runner
from emmd.experiments.bench.mixture_em import Tools, mixture_map

_TARGET, _ENOUGH = 1e-14, 1e-13


class Rows:
    """Features of shape (n, d), as NumPy programs get them and most keep them."""

    def __init__(self, X):
        self.X = np.ascontiguousarray(X)

    def predict(self, w):
        """Return x' w for coefficients (d,) or (K, d), shape (n,) or (K, n)."""
        return (self.X @ w.T).T

    def moment(self, v):
        """Return the sum of v x for weights (n,) or (K, n), shape (d,) or (K, d)."""
        return v @ self.X

    def gram(self, v):
        """Return the sum of v x x', shape (d, d)."""
        return self.X.T @ (self.X * v[:, np.newaxis])


class Columns:
    """Features of shape (d, n): every elementwise pass runs along memory, a Gram matrix is one dsyrk."""

    def __init__(self, X):
        self.XT = np.ascontiguousarray(X.T)

    def predict(self, w):
        """Return x' w for coefficients (d,) or (K, d), shape (n,) or (K, n)."""
        return w @ self.XT

    def moment(self, v):
        """Return the sum of v x for weights (n,) or (K, n), shape (d,) or (K, d)."""
        return v @ self.XT.T

    def gram(self, v):
        """Return the sum of v x x' for v >= 0, shape (d, d)."""
        Z = self.XT * np.sqrt(v)
        return Z @ Z.T


class NumPyBaseline(Baseline):
    """EM in vectorised NumPy; a subclass names its layout.

    Attributes
    ----------
    layout : type
        `Rows` or `Columns`.
    """

    layout: Callable

    def prepare(self, timed):
        """Return the loop over EM maps for this kind of problem."""
        return Runner.of_map(_em_map(self.layout, timed))


def _em_map(layout, timed):
    """Return ``theta -> (EM image, loss)`` of a `TimedProblem` on features in a layout."""
    problem = timed.problem
    features = layout(problem.X)
    weights = np.array(problem.weights)
    scale = np.sqrt(weights @ problem.X**2)
    if timed.kind in _KINDS:
        return _KINDS[timed.kind](features, problem.y, weights, scale, timed)
    return mixture_map(
        Tools(np, special, newton_step, _solve), features, problem.y, weights, scale, problem.model
    )


def newton_step(evaluate, x, scale):
    """Minimise a convex function from a warm start to a scaled gradient of 1e-14 (1e-13 where it stalls)."""
    best = np.inf
    for _ in range(50):
        gradient, hessian = evaluate(x)
        size = np.abs(gradient / scale).max()
        if size <= _TARGET or (size <= _ENOUGH and size >= best):
            break
        best = size
        x = x - cho_solve(cho_factor(hessian, lower=True, check_finite=False), gradient, check_finite=False)
    return x


def _solve(matrix, vector):
    return cho_solve(cho_factor(matrix, lower=True), vector)


def logistic_fit(X, weights, target, w, scale):
    """Fit a logistic regression with soft labels."""
    moment = X.moment(weights * target)

    def evaluate(w):
        s = expit(X.predict(w))
        return X.moment(weights * s) - moment, X.gram(weights * s * (1.0 - s))

    return newton_step(evaluate, w, scale)


def softplus(t):
    """Return log(1 + e^t)."""
    return np.maximum(t, 0.0) + np.log1p(np.exp(-np.abs(t)))


def _symmoline(X, y, c, scale, timed):
    d, sigma = len(scale), timed.problem.model.sigma
    factor = cho_factor(X.gram(c), lower=True)
    constant = c @ (0.5 * (y / sigma) ** 2) + 0.5 * np.log(2.0 * np.pi) + np.log(sigma)

    def step(theta):
        a, b = X.predict(theta[:d]) / sigma, X.predict(theta[d:])
        odds = b + 2.0 * a * y / sigma
        p = expit(odds)
        loss = constant + c @ (0.5 * a * a + a * y / sigma + softplus(b) - softplus(odds))
        beta = cho_solve(factor, X.moment(c * (2.0 * p - 1.0) * y))
        return np.concatenate([beta, logistic_fit(X, c, p, theta[d:], scale)]), loss

    return step


def _symmologe(X, y, c, scale, timed):
    d = len(scale)
    positive = y > 0

    def step(theta):
        a, b = X.predict(theta[:d]), X.predict(theta[d:])
        odds = b + a * y
        p = expit(odds)
        loss = c @ (softplus(b) + softplus(a * y) - softplus(odds))
        beta = logistic_fit(X, c, np.where(positive, p, 1.0 - p), theta[:d], scale)
        return np.concatenate([beta, logistic_fit(X, c, p, theta[d:], scale)]), loss

    return step


_KINDS = {"symmoline": _symmoline, "symmologe": _symmologe}
