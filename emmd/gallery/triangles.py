"""Symmetric matrices as vectors, for models whose statistics hold products."""

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular


def lower(values, d):
    """Return the lower triangular matrix (d, d) with given entries, row by row."""
    return jnp.zeros((d, d)).at[np.tril_indices(d)].set(values)


def log_cholesky(values, d):
    """Return a lower triangular matrix with positive diagonal from d (d + 1) / 2 free numbers."""
    matrix = lower(values, d)
    return jnp.tril(matrix, -1) + jnp.diag(jnp.exp(jnp.diag(matrix)))


def from_log_cholesky(matrix):
    """Return the free numbers of the Cholesky factor of a positive definite matrix, or of several."""
    root = np.linalg.cholesky(matrix)
    i, j = np.tril_indices(root.shape[-1])
    entries = root[..., i, j]
    return np.where(i == j, np.log(np.where(i == j, entries, 1.0)), entries)


def products(y):
    """Return the entries of yy' on and below the diagonal."""
    return jnp.outer(y, y)[np.tril_indices(len(y))]


def from_products(values, d):
    """Return the symmetric matrices (..., d, d) whose entries on and below the diagonal these are."""
    i, j = np.tril_indices(d)
    matrix = np.empty((*np.shape(values)[:-1], d, d))
    matrix[..., i, j] = matrix[..., j, i] = values
    return matrix


def doubled(matrix):
    """Return the coefficients of `products` in y'My, M symmetric: entries off the diagonal count twice."""
    return (2.0 * jnp.tril(matrix, -1) + jnp.diag(jnp.diag(matrix)))[np.tril_indices(len(matrix))]


def symmetric(values, d):
    """Return the symmetric M with `doubled(M) = values`."""
    half = lower(values, d)
    return 0.5 * (half + half.T)


def log_gaussian_mass(linear, quadratic):
    """Return the log of the integral of exp(<linear, y> + y' quadratic y), quadratic negative definite."""
    root = jnp.linalg.cholesky(-2.0 * quadratic)
    half = solve_triangular(root, linear, lower=True)
    log_root = jnp.log(jnp.diag(root)).sum()
    return 0.5 * half @ half - log_root + 0.5 * len(linear) * np.log(2.0 * np.pi)
