"""EM in JAX on the CPU: the whole map is one compiled function, Newton's method a while_loop."""

import os
from importlib.util import find_spec

import numpy as np

from emmd.experiments.bench.baseline import Baseline, Runner

_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_TARGET, _ENOUGH = 1e-14, 1e-13


class Jax(Baseline):
    """JAX jit on the CPU in float64, one thread, with the same exact M-step; optional."""

    name = "jax"
    title = "JAX jit on the CPU"
    compiles = True

    def missing(self):
        """Return "" when JAX is installed."""
        return "" if find_spec("jax") else "JAX is not installed: pip install 'emmd[bench]'"

    def prepare(self, timed):
        """Return the loop over EM maps; its first call compiles."""
        jax = _jax()
        step = jax.jit(_KINDS[timed.kind](timed, jax))

        def advance(theta, steps):
            theta = jax.numpy.asarray(theta)
            for _ in range(steps):
                theta, _ = step(theta)
            return np.asarray(theta)

        return Runner(advance)


def _jax():
    # XLA reads its flags when it is first imported
    os.environ.setdefault("XLA_FLAGS", _ONE_THREAD)
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def _newton(jax, evaluate, x, scale):
    jnp = jax.numpy

    def unfinished(state):
        _, gradient, _, last, count = state
        size = jnp.abs(gradient / scale).max()
        return (size > _TARGET) & ((size > _ENOUGH) | (size < last)) & (count < 50)

    def advance(state):
        x, gradient, hessian, _, count = state
        x = x - jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(hessian), True), gradient)
        return x, *evaluate(x), jnp.abs(gradient / scale).max(), count + 1

    return jax.lax.while_loop(unfinished, advance, (x, *evaluate(x), jnp.inf, 0))[0]


def _logistic(jax, XT, weights, target, w, scale):
    moment = XT @ (weights * target)

    def evaluate(w):
        s = jax.nn.sigmoid(w @ XT)
        return XT @ (weights * s) - moment, (XT * (weights * s * (1.0 - s))) @ XT.T

    return _newton(jax, evaluate, w, scale)


def _parts(timed, jax):
    problem = timed.problem
    arrays = (np.ascontiguousarray(problem.X.T), problem.y, problem.weights)
    XT, y, c = (jax.numpy.asarray(array) for array in arrays)
    return XT, y, c, jax.numpy.sqrt((XT * XT) @ c)


def _symmoline(timed, jax):
    jnp = jax.numpy
    XT, y, c, scale = _parts(timed, jax)
    d, sigma = len(XT), timed.problem.model.sigma
    factor = jnp.linalg.cholesky((XT * c) @ XT.T)
    constant = c @ (0.5 * (y / sigma) ** 2) + 0.5 * jnp.log(2.0 * jnp.pi) + jnp.log(sigma)

    def step(theta):
        a, b = theta[:d] @ XT / sigma, theta[d:] @ XT
        odds = b + 2.0 * a * y / sigma
        p = jax.nn.sigmoid(odds)
        rows = 0.5 * a * a + a * y / sigma + jax.nn.softplus(b) - jax.nn.softplus(odds)
        beta = jax.scipy.linalg.cho_solve((factor, True), XT @ (c * (2.0 * p - 1.0) * y))
        return jnp.concatenate([beta, _logistic(jax, XT, c, p, theta[d:], scale)]), constant + c @ rows

    return step


def _symmologe(timed, jax):
    jnp = jax.numpy
    XT, y, c, scale = _parts(timed, jax)
    d = len(XT)

    def step(theta):
        a, b = theta[:d] @ XT, theta[d:] @ XT
        odds = b + a * y
        p = jax.nn.sigmoid(odds)
        loss = c @ (jax.nn.softplus(b) + jax.nn.softplus(a * y) - jax.nn.softplus(odds))
        beta = _logistic(jax, XT, c, jnp.where(y > 0, p, 1.0 - p), theta[:d], scale)
        return jnp.concatenate([beta, _logistic(jax, XT, c, p, theta[d:], scale)]), loss

    return step


def _gaussian(timed, jax):
    jnp = jax.numpy
    XT, y, c, scale = _parts(timed, jax)
    K, d = timed.n_experts, len(XT)

    def fit(weights):
        factor = jnp.linalg.cholesky((XT * weights) @ XT.T)
        beta = jax.scipy.linalg.cho_solve((factor, True), XT @ (weights * y))
        return beta, jnp.log(weights @ (y - beta @ XT) ** 2 / weights.sum())

    def step(theta):
        coef, rho, gate = theta[: K * d].reshape(K, d), theta[K * d : K * d + K], theta[K * d + K :]
        logits = jnp.vstack([gate.reshape(K - 1, d) @ XT, jnp.zeros(len(y))])
        square = (y - coef @ XT) ** 2 * jnp.exp(-rho)[:, None] + rho[:, None]
        joint = jax.nn.log_softmax(logits, axis=0) - 0.5 * square
        evidence = jax.nn.logsumexp(joint, axis=0)
        r = jnp.exp(joint - evidence)
        fits = [fit(c * row) for row in r]
        betas, rhos = (jnp.stack(column) for column in zip(*fits))
        gate = _softmax(jax, XT, c, r, gate, jnp.tile(scale, K - 1))
        return jnp.concatenate([betas.ravel(), rhos, gate]), 0.5 * jnp.log(2.0 * jnp.pi) - c @ evidence

    return step


def _softmax(jax, XT, c, r, gate, scale):
    jnp = jax.numpy
    d, K = len(XT), len(r)
    moment = (c * r[:-1]) @ XT.T

    def evaluate(gate):
        logits = jnp.vstack([gate.reshape(K - 1, d) @ XT, jnp.zeros(XT.shape[1])])
        s = jax.nn.softmax(logits, axis=0)[:-1]
        pairs = {}
        for k in range(K - 1):
            for h in range(k + 1):
                pairs[k, h] = pairs[h, k] = (XT * (c * s[k] * ((k == h) - s[h]))) @ XT.T
        hessian = jnp.block([[pairs[k, h] for h in range(K - 1)] for k in range(K - 1)])
        return ((c * s) @ XT.T - moment).ravel(), hessian

    return _newton(jax, evaluate, gate, scale)


_KINDS = {"symmoline": _symmoline, "symmologe": _symmologe, "gaussian": _gaussian}

BASELINE = Jax()
