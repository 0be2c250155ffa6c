"""Coordinates of a population problem: whitened features, the plane of beta* and w*, and across it."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space

from emmd.core.checks import real_array

__all__ = ["Frame", "frame_of"]

# Sine of an angle that counts as zero.
_PARALLEL = 1e-12

_VARIANCES = 1e-200, 1e200

LARGEST_SNR = 1e30
"""Powers of an SNR up to the sixth, and their reciprocals, are formed and must stay inside float64."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Features x = root u with u ~ N(0, I), and an orthonormal basis of u's space.

    Attributes
    ----------
    theta_star : ndarray of shape (2d,)
    root : ndarray of shape (d, d)
        Lower triangular, root root' = Sigma.
    plane : ndarray of shape (k, d)
        Orthonormal rows, the first along the whitened beta* (along w* if beta* = 0); their span holds
        the whitened w* too; k = min(d, 2).
    across : ndarray of shape (d - k, d)
        Orthonormal rows that complete the basis.
    expert, gate : ndarray of shape (k,)
        Whitened beta* / sigma and w* in the plane.
    """

    theta_star: np.ndarray
    root: np.ndarray
    plane: np.ndarray
    across: np.ndarray
    expert: np.ndarray
    gate: np.ndarray

    @property
    def copies(self):
        """Rows that every node of the plane becomes."""
        return max(1, 2 * len(self.across))

    def spread(self, x, y, weights):
        """Turn nodes in the plane into rows of X, with +-sqrt(d - k) e_j across it.

        Parameters
        ----------
        x : ndarray of shape (n, k)
        y, weights : ndarray of shape (n,)

        Returns
        -------
        X : ndarray of shape (n * copies, d)
        y, weights : ndarray of shape (n * copies,)
        """
        shifts = np.sqrt(len(self.across)) * np.concatenate([self.across, -self.across])
        if not len(shifts):
            shifts = np.zeros((1, self.plane.shape[1]))
        whitened = (x @ self.plane)[:, None, :] + shifts
        features = whitened.reshape(-1, self.plane.shape[1]) @ self.root.T
        return features, np.repeat(y, len(shifts)), np.repeat(weights, len(shifts))

    def project(self, expert, gate):
        """Return working parameters, whitened, in the plane, shape (k,) each, and the norm left across it."""
        whitened = [self.root.T @ part for part in (expert, gate)]
        inside = [self.plane @ part for part in whitened]
        left = max(np.linalg.norm(part - self.plane.T @ p) for part, p in zip(whitened, inside))
        return *inside, float(left)


def frame_of(model, theta_star, covariance=None, others=()):
    """Choose the coordinates in which a true parameter of a symmetric model is simple.

    Parameters
    ----------
    model : SymmetricModel
    theta_star : ndarray of shape (2d,)
    covariance : array_like of shape (d, d), optional
        The identity by default.
    others : sequence of ndarray of shape (2d,)
        Parameters that choose the plane's second direction when beta* and w* do not.

    Returns
    -------
    Frame

    Raises
    ------
    ValueError
        If `covariance` is not symmetric positive definite.
    """
    d = model.n_features
    root = _root(np.eye(d) if covariance is None else real_array("covariance", covariance, 2), d)
    _require_norms(model, root, theta_star, others)
    expert, gate, *rest = (root.T @ part for theta in (theta_star, *others) for part in model.split(theta))
    plane = _span([expert, gate, *rest], min(d, 2))
    across = null_space(plane).T
    return Frame(theta_star, root, plane, across, plane @ expert, plane @ gate)


def _require_norms(model, root, theta_star, others):
    named = [("theta_star", theta_star), *(("starts", theta) for theta in others)]
    for name, theta in named:
        with np.errstate(over="ignore", invalid="ignore"):
            norm = max(np.linalg.norm(root.T @ part) for part in model.split(theta))
        if not norm <= LARGEST_SNR:
            raise ValueError(
                f"{name} (whitened by covariance) must have SNRs of at most {LARGEST_SNR:g}, got {norm:.3g}"
            )


def _root(covariance, d):
    if covariance.shape != (d, d):
        raise ValueError(
            f"covariance must have shape (d, d) with d = {d} as for theta_star, got {covariance.shape}"
        )
    variances = np.diag(covariance)
    if not (variances.min() >= _VARIANCES[0] and variances.max() <= _VARIANCES[1]):
        raise ValueError(
            f"covariance must have variances between {_VARIANCES[0]:g} and {_VARIANCES[1]:g}, "
            f"got {variances.min():g} to {variances.max():g}"
        )
    if not np.allclose(covariance, covariance.T, rtol=1e-12, atol=0.0):
        raise ValueError("covariance must be symmetric")
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ValueError("covariance must be positive definite") from None


def _span(vectors, k):
    """Orthonormal rows by Gram and Schmidt in the given order, completed where the span is smaller."""
    d = len(vectors[0])
    rows = np.empty((0, d))
    for vector in vectors:
        rest = vector
        for _ in range(2):
            rest = rest - rows.T @ (rows @ rest)
        size = np.linalg.norm(rest)
        if len(rows) < k and size > _PARALLEL * np.linalg.norm(vector):
            rows = np.concatenate([rows, rest[None] / size])
    across = null_space(rows).T if len(rows) else np.eye(d)
    return np.concatenate([rows, across])[:k]
