"""A slow plain oracle of the two symmetric models, from the joint density p(y, z | x) alone.

It shares no code and no formula with the package: the loss is a logsumexp of the log joint, its derivatives
are posterior means and covariances of the scores of the two branches, the M-step is Newton's method on the
expected log joint. The names of the methods are those of the package's problems.
"""

import numpy as np
from scipy.special import expit, log_expit


class Naive:
    """One model on one weighted sample; ``theta = concatenate(beta, w)``.

    Parameters
    ----------
    name : "symmoline" or "symmologe"
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
    weights : ndarray of shape (n,), optional
    sigma : float
        Noise of symmoline; 1 for symmologe.
    """

    def __init__(self, name, X, y, weights=None, sigma=1.0):
        self.linear = {"symmoline": True, "symmologe": False}[name]
        self.X, self.sigma = X, sigma
        self.y = y / sigma
        weights = np.ones(len(y)) if weights is None else weights
        self.c = weights / np.sum(weights)

    def predictors(self, theta):
        """Return ``(x'beta / sigma, x'w)``."""
        beta, w = np.split(np.asarray(theta), 2)
        return self.X @ beta / self.sigma, self.X @ w

    def logit(self, theta):
        """Return the posterior log odds of z = 1."""
        a, b = self.predictors(theta)
        return b + (2.0 if self.linear else 1.0) * a * self.y

    def responsibilities(self, theta):
        """Return P(z = 1 | x, y)."""
        return expit(self.logit(theta))

    def log_joint(self, theta, z):
        """Return log p(y, z | x) of each row."""
        a, b = self.predictors(theta)
        if self.linear:
            expert = -0.5 * (self.y - z * a) ** 2 - 0.5 * np.log(2.0 * np.pi) - np.log(self.sigma)
        else:
            expert = log_expit(self.y * z * a)
        return log_expit(z * b) + expert

    def score(self, theta, z):
        """Return the derivatives of the log joint in (a, b), shape (2, n)."""
        a, b = self.predictors(theta)
        expert = z * (self.y - z * a) if self.linear else z * self.y * expit(-self.y * z * a)
        return np.stack([expert, z * expit(-z * b)])

    def curvature(self, theta):
        """Return minus the second derivatives of the log joint in a and in b, shape (2, n)."""
        a, b = self.predictors(theta)
        expert = np.ones_like(a) if self.linear else expit(a) * expit(-a)
        return np.stack([expert, expit(b) * expit(-b)])

    def _vector(self, expert, gate):
        return np.concatenate([self.X.T @ (self.c * expert) / self.sigma, self.X.T @ (self.c * gate)])

    def _matrix(self, aa, ab, bb):
        aa, ab, bb = (self.X.T @ ((self.c * rows)[:, None] * self.X) for rows in (aa, ab, bb))
        return np.block([[aa / self.sigma**2, ab / self.sigma], [ab / self.sigma, bb]])

    def loss(self, theta):
        """Return the average of -log p(y | x)."""
        return -self.c @ np.logaddexp(self.log_joint(theta, 1), self.log_joint(theta, -1))

    def gradient(self, theta):
        """Return the gradient of the loss."""
        logit = self.logit(theta)
        mean = expit(logit) * self.score(theta, 1) + expit(-logit) * self.score(theta, -1)
        return self._vector(*-mean)

    def complete_hessian(self, theta):
        """Return the mean of minus the second derivative of the log joint."""
        expert, gate = self.curvature(theta)
        return self._matrix(expert, np.zeros_like(expert), gate)

    def missing_hessian(self, theta):
        """Return the mean posterior covariance of the scores."""
        logit = self.logit(theta)
        expert, gate = self.score(theta, 1) - self.score(theta, -1)
        spread = expit(logit) * expit(-logit)
        return self._matrix(spread * expert**2, spread * expert * gate, spread * gate**2)

    def hessian(self, theta):
        """Return the Hessian of the loss."""
        return self.complete_hessian(theta) - self.missing_hessian(theta)

    def surrogate(self, theta, p):
        """Return the expected complete loss for responsibilities p, up to a constant, and its gradient."""
        value = -self.c @ (p * self.log_joint(theta, 1) + (1 - p) * self.log_joint(theta, -1))
        return value, self._vector(*-(p * self.score(theta, 1) + (1 - p) * self.score(theta, -1)))

    def m_step(self, p, start):
        """Return the minimiser of the expected complete loss."""
        return _newton(lambda t: (*self.surrogate(t, p), self.complete_hessian(t)), start)

    def em_step(self, theta):
        """Return the EM map."""
        return self.m_step(self.responsibilities(theta), np.zeros_like(theta))

    def optimum(self, start):
        """Return the minimiser of the loss in whose region of convexity `start` lies."""
        return _newton(lambda t: (self.loss(t), self.gradient(t), self.hessian(t)), start)

    def mirror_map(self, theta):
        """Return A(theta)."""
        a, b = self.predictors(theta)
        return self.c @ ((0.5 * a**2 if self.linear else np.logaddexp(0.0, a)) + np.logaddexp(0.0, b))

    def mirror_gradient(self, theta):
        """Return the gradient of A."""
        a, b = self.predictors(theta)
        return self._vector(a if self.linear else expit(a), expit(b))

    def divergence(self, u, v):
        """Return the mean KL divergence of p_u(y, z | x) from p_v(y, z | x)."""
        (a_u, b_u), (a_v, b_v) = self.predictors(u), self.predictors(v)
        expert = 0.5 * (a_u - a_v) ** 2 if self.linear else _bernoulli_kl(a_v, a_u)
        return self.c @ (expert + _bernoulli_kl(b_v, b_u))

    def posterior_divergence(self, u, v):
        """Return the mean KL divergence of p_u(z | x, y) from p_v(z | x, y)."""
        return self.c @ _bernoulli_kl(self.logit(v), self.logit(u))

    def distance(self, theta, reference):
        """Return the Euclidean distance modulo sign flip and, for symmologe, swap."""
        beta, w = np.split(theta, 2)
        copies = [theta, -theta]
        if not self.linear:
            swap = np.concatenate([w, beta])
            copies += [swap, -swap]
        return min(np.linalg.norm(copy - reference) for copy in copies)


def _bernoulli_kl(p, q):
    """KL of Bernoulli laws with logits p and q, the mean taken over the first."""
    return expit(p) * (log_expit(p) - log_expit(q)) + expit(-p) * (log_expit(-p) - log_expit(-q))


def _newton(evaluate, start):
    """Minimise from `start`; once the decrement is below 1e-8 full steps converge quadratically."""
    x = np.array(start, dtype=float)
    for _ in range(200):
        value, gradient, hessian = evaluate(x)
        step = np.linalg.solve(hessian, gradient)
        decrement = gradient @ step
        while decrement > 1e-8 and not evaluate(x - step)[0] < value:
            step = 0.5 * step
        x = x - step
        if decrement < 1e-20 * (1.0 + x @ hessian @ x):
            return x
    raise RuntimeError("Newton's method of the oracle did not converge")
