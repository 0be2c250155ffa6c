"""EM in JAX on the CPU: the whole map is one compiled function, Newton's method a while_loop."""

import os
from functools import partial
from importlib.util import find_spec

import numpy as np

from emmd.experiments.bench.baseline import Baseline, Runner
from emmd.experiments.bench.mixture_em import Tools, mixture_map

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
        step = jax.jit(_KINDS.get(timed.kind, _mixture)(timed, jax))

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


class _Columns:
    """Features of shape (d, n) in JAX, as `numpy_em.Columns` has them."""

    def __init__(self, XT):
        self.XT = XT

    def predict(self, w):
        return w @ self.XT

    def moment(self, v):
        return v @ self.XT.T

    def gram(self, v):
        return (self.XT * v) @ self.XT.T


def _mixture(timed, jax):
    XT, y, c, scale = _parts(timed, jax)

    def solve(matrix, vector):
        return jax.scipy.linalg.cho_solve((jax.numpy.linalg.cholesky(matrix), True), vector)

    tools = Tools(jax.numpy, jax.scipy.special, partial(_newton, jax), solve)
    return mixture_map(tools, _Columns(XT), y, c, scale, timed.problem.model)


_KINDS = {"symmoline": _symmoline, "symmologe": _symmologe}

BASELINE = Jax()
