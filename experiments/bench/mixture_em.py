"""EM for K experts with a softmax gate, written once for NumPy's and JAX's arrays.

Features come as an object that predicts, adds up moments and Gram matrices, see `numpy_em.Rows`; the M-step
is Newton's method for every expert and for the gate, begun at the last iterate.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tools:
    """What differs between the two.

    Attributes
    ----------
    xp : module
        ``numpy`` or ``jax.numpy``.
    special : module
        ``scipy.special`` or ``jax.scipy.special``.
    newton : callable
        ``(evaluate, x, scale) -> x``, `evaluate` returning gradient and Hessian of a convex function.
    solve : callable
        ``(matrix, vector) -> vector`` for a positive definite matrix.
    """

    xp: Any
    special: Any
    newton: Callable
    solve: Callable


def mixture_map(tools, X, y, c, scale, model):
    """Return ``theta -> (EM image, loss)``; the loss lacks what depends on y alone.

    Parameters
    ----------
    tools : Tools
    X : features
    y, c : arrays of shape (n,)
        Targets and weights with sum 1.
    scale : array of shape (d,)
        Root mean square of each feature.
    model : MixtureOfExperts
    """
    xp, K, d, m = tools.xp, model.n_experts, model.n_features, model.family.n_linear
    family = _FAMILIES[model.family.name](tools, X, y, scale, model)
    ends = K * m * d, model.n_params - (K - 1) * d

    def step(theta):
        coef, rho, gate = theta[: ends[0]].reshape(K, m, d), theta[ends[0] : ends[1]], theta[ends[1] :]
        joint = log_softmax(xp, _logits(xp, X, gate.reshape(K - 1, d), y)) + family.log_density(coef, rho)
        largest = joint.max(axis=0)
        r = xp.exp(joint - largest)
        total = r.sum(axis=0)
        r = r / total
        fits = [family.fit(c * row, b) for row, b in zip(r, coef)]
        columns = [xp.stack(column).ravel() for column in zip(*fits)]
        gate = softmax_fit(tools, X, c, r, gate, scale)
        return xp.concatenate([*columns, gate]), -(c @ (largest + xp.log(total)))

    return step


def log_softmax(xp, logits):
    """Return log softmax over the first axis."""
    shifted = logits - logits.max(axis=0)
    return shifted - xp.log(xp.exp(shifted).sum(axis=0))


def _logits(xp, X, w, y):
    return xp.concatenate([X.predict(w), xp.zeros((1, len(y)))])


def softmax_fit(tools, X, c, targets, w, scale):
    """Fit a softmax regression with weights c to targets of shape (C, n), the last logit fixed at 0."""
    xp, free, d = tools.xp, len(targets) - 1, len(scale)
    moment = X.moment(c * targets[:-1])

    def evaluate(w):
        logits = _logits(xp, X, w.reshape(free, d), c)
        s = xp.exp(logits - logits.max(axis=0))
        s = (s / s.sum(axis=0))[:-1]
        blocks = [[None] * free for _ in range(free)]
        for k in range(free):
            blocks[k][k] = X.gram(c * s[k] * (1.0 - s[k]))
            for h in range(k):
                blocks[k][h] = blocks[h][k] = -X.gram(c * s[k] * s[h])
        return (X.moment(c * s) - moment).ravel(), xp.block(blocks)

    return tools.newton(evaluate, w, xp.tile(scale, free))


class _Experts(ABC):
    """K experts of a family."""

    def __init__(self, tools, X, y, scale, model):
        self.tools, self.X, self.y, self.scale = tools, X, y, scale

    @abstractmethod
    def log_density(self, coef, rho):
        """Return the experts' log densities, shape (K, n), without what depends on y alone."""

    @abstractmethod
    def fit(self, weights, coef):
        """Return one expert's coefficients, and its dispersion where there is one, begun at `coef`."""


class _Gaussian(_Experts):
    def log_density(self, coef, rho):
        xp = self.tools.xp
        square = (self.y - self.X.predict(coef[:, 0])) ** 2
        return -0.5 * (square * xp.exp(-rho)[:, None] + rho[:, None])

    def fit(self, weights, coef):
        beta = self.tools.solve(self.X.gram(weights), self.X.moment(weights * self.y))
        square = (self.y - self.X.predict(beta)) ** 2
        return beta, self.tools.xp.log(weights @ square / weights.sum())


class _OneLink(_Experts):
    """Experts with one linear predictor u and a convex loss of each row."""

    @abstractmethod
    def derivatives(self, u):
        """Return slope and curvature of the loss in u."""

    def fit(self, weights, coef):
        return (self._newton(weights, coef[0]),)

    def _newton(self, weights, beta):
        def evaluate(beta):
            slope, curvature = self.derivatives(self.X.predict(beta))
            return self.X.moment(weights * slope), self.X.gram(weights * curvature)

        return self.tools.newton(evaluate, beta, self.scale)


class _Poisson(_OneLink):
    def log_density(self, coef, rho):
        u = self.X.predict(coef[:, 0])
        return self.y * u - self.tools.xp.exp(u)

    def derivatives(self, u):
        mean = self.tools.xp.exp(u)
        return mean - self.y, mean


class _Bernoulli(_OneLink):
    def log_density(self, coef, rho):
        u = self.X.predict(coef[:, 0])
        return self.y * u - self.tools.xp.logaddexp(0.0, u)

    def derivatives(self, u):
        p = self.tools.special.expit(u)
        return p - self.y, p * (1.0 - p)


class _Gamma(_OneLink):
    """The mean first, free of the shape e^rho; then rho - digamma(e^rho) = half the mean deviance."""

    def log_density(self, coef, rho):
        xp, shape = self.tools.xp, self.tools.xp.exp(rho)[:, None]
        ratio = xp.log(self.y) - self.X.predict(coef[:, 0])
        return shape * (rho[:, None] + ratio - xp.exp(ratio)) - self.tools.special.gammaln(shape)

    def derivatives(self, u):
        ratio = self.y * self.tools.xp.exp(-u)
        return 1.0 - ratio, ratio

    def fit(self, weights, coef):
        xp, special = self.tools.xp, self.tools.special
        beta = self._newton(weights, coef[0])
        ratio = xp.log(self.y) - self.X.predict(beta)
        half = weights @ (xp.exp(ratio) - ratio - 1.0) / weights.sum()

        def evaluate(rho):
            shape = xp.exp(rho)
            slope = half - rho + special.digamma(shape)
            return slope, (shape * special.polygamma(1, shape) - 1.0)[:, None]

        # below the solution, from where Newton's method on this concave function runs up to it
        start = xp.log(xp.ones(1) / (2.0 * half))
        return beta, self.tools.newton(evaluate, start, xp.ones(1))


class _Categorical(_Experts):
    def __init__(self, tools, X, y, scale, model):
        super().__init__(tools, X, y, scale, model)
        self.targets = (tools.xp.arange(model.family.n_linear + 1)[:, None] == y) * 1.0

    def log_density(self, coef, rho):
        xp = self.tools.xp
        each = [log_softmax(xp, _logits(xp, self.X, rows, self.y)) for rows in coef]
        return xp.stack([(self.targets * rows).sum(axis=0) for rows in each])

    def fit(self, weights, coef):
        return (softmax_fit(self.tools, self.X, weights, self.targets, coef.ravel(), self.scale),)


_FAMILIES: dict[str, type[_Experts]] = {
    "gaussian": _Gaussian,
    "poisson": _Poisson,
    "bernoulli": _Bernoulli,
    "gamma": _Gamma,
    "categorical": _Categorical,
}
