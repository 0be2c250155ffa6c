"""EM as a good NumPy program writes it: features in rows, a BLAS call per Gram matrix, Newton's method."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from experiments.bench.baseline import Baseline, Runner

_TARGET, _ENOUGH = 1e-14, 1e-13


class NumPy(Baseline):
    """Vectorised NumPy and SciPy with the same exact M-step, loss included.

    The data are kept feature-major (d x n), so that every elementwise pass runs along memory and
    ``Z @ Z.T`` is one dsyrk; what does not depend on the iterate is factored once; Newton's method is
    warm-started and stops where emmd's does.
    """

    name = "numpy"
    title = "vectorised NumPy"

    def prepare(self, timed):
        """Return the loop over EM maps for this kind of problem."""
        step = _KINDS[timed.kind](timed)

        def advance(theta, steps):
            for _ in range(steps):
                theta, _ = step(theta)
            return theta

        return Runner(advance)


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


def logistic_fit(XT, weights, target, w, scale):
    """Fit a logistic regression with soft labels."""
    moment = XT @ (weights * target)

    def evaluate(w):
        s = expit(w @ XT)
        Z = XT * np.sqrt(weights * s * (1.0 - s))
        return XT @ (weights * s) - moment, Z @ Z.T

    return newton_step(evaluate, w, scale)


def softplus(t):
    """Return log(1 + e^t)."""
    return np.maximum(t, 0.0) + np.log1p(np.exp(-np.abs(t)))


def _parts(timed):
    problem = timed.problem
    XT = np.ascontiguousarray(problem.X.T)
    return XT, problem.y, np.array(problem.weights), np.sqrt((XT * XT) @ problem.weights)


def _symmoline(timed):
    XT, y, c, scale = _parts(timed)
    d, sigma = len(XT), timed.problem.model.sigma
    Z = XT * np.sqrt(c)
    factor = cho_factor(Z @ Z.T, lower=True)
    constant = c @ (0.5 * (y / sigma) ** 2) + 0.5 * np.log(2.0 * np.pi) + np.log(sigma)

    def step(theta):
        a, b = theta[:d] @ XT / sigma, theta[d:] @ XT
        odds = b + 2.0 * a * y / sigma
        p = expit(odds)
        loss = constant + c @ (0.5 * a * a + a * y / sigma + softplus(b) - softplus(odds))
        beta = cho_solve(factor, XT @ (c * (2.0 * p - 1.0) * y))
        return np.concatenate([beta, logistic_fit(XT, c, p, theta[d:], scale)]), loss

    return step


def _symmologe(timed):
    XT, y, c, scale = _parts(timed)
    d = len(XT)
    positive = y > 0

    def step(theta):
        a, b = theta[:d] @ XT, theta[d:] @ XT
        odds = b + a * y
        p = expit(odds)
        loss = c @ (softplus(b) + softplus(a * y) - softplus(odds))
        beta = logistic_fit(XT, c, np.where(positive, p, 1.0 - p), theta[:d], scale)
        return np.concatenate([beta, logistic_fit(XT, c, p, theta[d:], scale)]), loss

    return step


def _gaussian(timed):
    XT, y, c, scale = _parts(timed)
    model, K, d = timed.problem.model, timed.n_experts, len(XT)

    def step(theta):
        coef, rho, gate = theta[: K * d].reshape(K, d), theta[K * d : K * d + K], theta[K * d + K :]
        logits = np.vstack([gate.reshape(K - 1, d) @ XT, np.zeros(len(y))])
        joint = log_softmax(logits) - 0.5 * ((y - coef @ XT) ** 2 * np.exp(-rho)[:, None] + rho[:, None])
        largest = joint.max(axis=0)
        r = np.exp(joint - largest)
        total = r.sum(axis=0)
        loss = 0.5 * np.log(2.0 * np.pi) - c @ (largest + np.log(total))
        r /= total
        fits = [weighted_fit(XT, y, c * row) for row in r]
        beta, rho = np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])
        gate = softmax_fit(XT, c, r, gate, np.tile(scale, K - 1))
        return model.pack(coef=beta[:, None, :], dispersion=rho, gate=gate.reshape(K - 1, d)), loss

    return step


def log_softmax(logits):
    """Return log softmax over the first axis."""
    shifted = logits - logits.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))


def weighted_fit(XT, y, weights):
    """Weighted least squares; return coefficients and the log of the weighted mean square residual."""
    Z = XT * np.sqrt(weights)
    beta = cho_solve(cho_factor(Z @ Z.T, lower=True), XT @ (weights * y))
    return beta, np.log(weights @ (y - beta @ XT) ** 2 / weights.sum())


def softmax_fit(XT, c, r, gate, scale):
    """Fit the softmax gate, the last logit fixed at 0."""
    d, K = len(XT), len(r)
    moment = (c * r[:-1]) @ XT.T

    def evaluate(gate):
        logits = np.vstack([gate.reshape(K - 1, d) @ XT, np.zeros(XT.shape[1])])
        s = np.exp(logits - logits.max(axis=0))
        s = (s / s.sum(axis=0))[:-1]
        hessian = np.empty((K - 1, d, K - 1, d))
        for k in range(K - 1):
            Z = XT * np.sqrt(c * s[k] * (1.0 - s[k]))
            hessian[k, :, k, :] = Z @ Z.T
            for h in range(k):
                block = (XT * (c * s[k] * s[h])) @ XT.T
                hessian[k, :, h, :] = hessian[h, :, k, :] = -block
        flat = ((c * s) @ XT.T - moment).ravel()
        return flat, hessian.reshape(len(flat), len(flat))

    return newton_step(evaluate, gate, scale)


_KINDS = {"symmoline": _symmoline, "symmologe": _symmologe, "gaussian": _gaussian}

BASELINE = NumPy()
