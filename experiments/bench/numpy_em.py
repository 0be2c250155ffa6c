"""EM in vectorised NumPy and SciPy, on features kept in rows or in columns.

A layout says how linear predictors, moments and Gram matrices are computed; the rest is the same for both.
What does not depend on the iterate is factored once; Newton's method is warm-started, evaluates gradient and
Hessian together, and stops where emmd's does.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from emmd.experiments.bench.baseline import Baseline, Runner

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
    return _KINDS[timed.kind](features, problem.y, weights, scale, timed)


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


def _gaussian(X, y, c, scale, timed):
    model, K, d = timed.problem.model, timed.n_experts, len(scale)

    def step(theta):
        coef, rho, gate = theta[: K * d].reshape(K, d), theta[K * d : K * d + K], theta[K * d + K :]
        logits = np.vstack([X.predict(gate.reshape(K - 1, d)), np.zeros(len(y))])
        joint = log_softmax(logits) - 0.5 * (
            (y - X.predict(coef)) ** 2 * np.exp(-rho)[:, None] + rho[:, None]
        )
        largest = joint.max(axis=0)
        r = np.exp(joint - largest)
        total = r.sum(axis=0)
        loss = 0.5 * np.log(2.0 * np.pi) - c @ (largest + np.log(total))
        r /= total
        fits = [weighted_fit(X, y, c * row) for row in r]
        beta, rho = np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])
        gate = softmax_fit(X, c, r, gate, np.tile(scale, K - 1))
        return model.pack(coef=beta[:, None, :], dispersion=rho, gate=gate.reshape(K - 1, d)), loss

    return step


def log_softmax(logits):
    """Return log softmax over the first axis."""
    shifted = logits - logits.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))


def weighted_fit(X, y, weights):
    """Weighted least squares; return coefficients and the log of the weighted mean square residual."""
    beta = cho_solve(cho_factor(X.gram(weights), lower=True), X.moment(weights * y))
    return beta, np.log(weights @ (y - X.predict(beta)) ** 2 / weights.sum())


def softmax_fit(X, c, r, gate, scale):
    """Fit the softmax gate, the last logit fixed at 0."""
    K, d = len(r), len(scale) // (len(r) - 1)
    moment = X.moment(c * r[:-1])

    def evaluate(gate):
        logits = np.vstack([X.predict(gate.reshape(K - 1, d)), np.zeros(len(c))])
        s = np.exp(logits - logits.max(axis=0))
        s = (s / s.sum(axis=0))[:-1]
        hessian = np.empty((K - 1, d, K - 1, d))
        for k in range(K - 1):
            hessian[k, :, k, :] = X.gram(c * s[k] * (1.0 - s[k]))
            for h in range(k):
                hessian[k, :, h, :] = hessian[h, :, k, :] = -X.gram(c * s[k] * s[h])
        flat = (X.moment(c * s) - moment).ravel()
        return flat, hessian.reshape(len(flat), len(flat))

    return newton_step(evaluate, gate, scale)


_KINDS = {"symmoline": _symmoline, "symmologe": _symmologe, "gaussian": _gaussian}
