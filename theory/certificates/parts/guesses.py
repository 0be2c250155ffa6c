"""Floats that a proof starts from: where an iterate lies, and coordinates that nearly diagonalise matrices.

Nothing here is trusted. A poor guess makes a proof fail, it cannot make one succeed; so plain NumPy will do,
and nothing of this is shared with the kernels whose numbers are being certified.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from emmd.theory.certificates.balls import NotProved

_STEPS = 50
_SOLVED = 1e-15


def sech_squared(u):
    """Return sech^2(u) of an array."""
    decay = np.exp(-2.0 * np.abs(u))
    return 4.0 * decay / (1.0 + decay) ** 2


def log_cosh(u):
    """Return log cosh(u) of an array."""
    return np.abs(u) + np.log1p(np.exp(-2.0 * np.abs(u))) - np.log(2.0)


@dataclass(frozen=True)
class FloatTerm:
    """A sum over rows of a function of v'theta, in floats; see `emmd.theory.certificates.rows.Term`."""

    quadratic: bool
    v: np.ndarray

    def slopes(self, u):
        """Return the first derivatives."""
        return u if self.quadratic else np.tanh(u)

    def curvatures(self, u):
        """Return the second derivatives."""
        return np.ones_like(u) if self.quadratic else sech_squared(u)


class FloatRows:
    """A and B of a symmetric model in floats; see `emmd.theory.certificates.rows.Rows`."""

    def __init__(self, model, X, y, weights, sigma):
        self.weights = weights / weights.sum()
        none = np.zeros_like(X)
        if model == "symmoline":
            expert, own = (y / sigma**2)[:, None] * X, FloatTerm(True, np.hstack([X / sigma, none]))
        else:
            expert, own = 0.5 * y[:, None] * X, FloatTerm(False, np.hstack([0.5 * X, none]))
        self.mirror = [own, FloatTerm(False, np.hstack([none, 0.5 * X]))]
        self.posterior = FloatTerm(False, np.hstack([expert, 0.5 * X]))

    def gradient(self, term, theta):
        """Return E[phi'(v'theta) v]."""
        return term.v.T @ (self.weights * term.slopes(term.v @ theta))

    def second(self, term, values):
        """Return E[value vv']."""
        return (term.v * (self.weights * values)[:, None]).T @ term.v

    def complete(self, theta):
        """Return hess A."""
        return sum(self.second(term, term.curvatures(term.v @ theta)) for term in self.mirror)

    def missing(self, theta):
        """Return hess B."""
        term = self.posterior
        return self.second(term, term.curvatures(term.v @ theta))

    def divergence(self, target, theta):
        """Return D_A(target, theta)."""
        total = 0.0
        for term in self.mirror:
            u, v = term.v @ target, term.v @ theta
            if term.quadratic:
                rows = 0.5 * (u - v) ** 2
            else:
                rows = log_cosh(u) - log_cosh(v) - np.tanh(v) * (u - v)
            total += float(self.weights @ rows)
        return total

    def em_step(self, theta):
        """Return the solution of grad A(theta+) = grad B(theta), by Newton's method from theta."""
        wanted = self.gradient(self.posterior, theta)
        return self._inverse_mirror(wanted, theta)

    def _inverse_mirror(self, wanted, theta):
        point, size = theta.copy(), np.inf
        for _ in range(_STEPS):
            residual = wanted - sum(self.gradient(term, point) for term in self.mirror)
            step = _solve(self.complete(point), residual)
            left = float(np.sqrt(max(residual @ step, 0.0)))
            # beyond half a digit per step rounding has been reached
            if not left < 0.5 * size and size < np.sqrt(_SOLVED):
                return point
            # a long step is cut: Newton's method may overshoot where f is nearly 0
            point, size = point + step / max(1.0, left), left
            if left < _SOLVED:
                return point
        return point


def _solve(square, right):
    with np.errstate(all="ignore"), suppress(np.linalg.LinAlgError):
        scale = np.sqrt(np.diag(square))
        step = np.linalg.solve(square / np.outer(scale, scale), right / scale) / scale
        if np.isfinite(step).all():
            return step
    raise NotProved("hess A > 0 fails: it is singular to rounding")


def natural_frame(complete, missing):
    """Return P with P' complete P ~ I and P' missing P ~ diag(values), and the values in ascending order.

    Raises
    ------
    NotProved
        Where `complete` is not positive definite to rounding.
    """
    with np.errstate(all="ignore"):
        scale = np.sqrt(np.diag(complete))
        try:
            lower = np.linalg.cholesky(complete / np.outer(scale, scale))
            half = np.linalg.inv(lower).T / scale[:, None]
            values, turn = np.linalg.eigh(half.T @ missing @ half)
        except (np.linalg.LinAlgError, ValueError):
            raise NotProved("hess A > 0 fails: it is singular to rounding") from None
    return half @ turn, values
