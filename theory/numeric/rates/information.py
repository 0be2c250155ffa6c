"""The missing-information matrix, from the symmetric pencil."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from emmd.core.checks import require_finite
from emmd.core.problem import Problem, required_problem
from emmd.fits.pencil import pencil, reduced, solvable_at


@dataclass(frozen=True)
class MissingInformation:
    """M = I_com^{-1} I_mis at one parameter.

    Attributes
    ----------
    eigenvalues : ndarray of shape (q,)
        Ascending; q = p less the number of gauge directions. In [0, 1] at a local minimum; elsewhere they
        can exceed 1.
    vectors : ndarray of shape (p, q)
        Eigenvectors in columns, orthonormal in the metric of I_com.
    complete, missing : ndarray of shape (p, p)
        I_com and I_mis.
    basis : ndarray of shape (p, q)
        Orthonormal, of what is orthogonal to the gauge directions; the identity without any.
    """

    eigenvalues: np.ndarray
    vectors: np.ndarray
    complete: np.ndarray
    missing: np.ndarray
    basis: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """M itself, shape (p, p): ``V diag(lambda) V' I_com``, with V the pencil's vectors."""
        return (self.vectors * self.eigenvalues) @ self.vectors.T @ self.complete

    @property
    def rate(self) -> float:
        """Largest eigenvalue: the local contraction factor of EM."""
        return float(self.eigenvalues[-1])


def missing_information(problem: Problem, theta: ArrayLike) -> MissingInformation:
    """Return the missing information of a problem at theta.

    Parameters
    ----------
    problem : emmd.Problem
    theta : array_like of shape (p,)

    Returns
    -------
    MissingInformation
        From the symmetric generalised eigenproblem I_mis v = lambda I_com v.

    Raises
    ------
    TypeError, ValueError
        For another object or a parameter of the wrong shape or where the informations overflow.
    numpy.linalg.LinAlgError
        If I_com is singular at theta (separable data, dependent columns).

    References
    ----------
    Louis (1982); Dempster, Laird, Rubin (1977); Meng and Rubin (1991).
    """
    complete, missing = required_problem(problem).informations(theta)
    basis = problem.quotient(theta, complete)
    with solvable_at("theta"), np.errstate(all="ignore"):
        values, vectors = pencil(*reduced(basis, missing, complete))
    require_finite("theta", "eigenvalues", values, vectors)
    if len(vectors) < len(complete):
        vectors = basis @ vectors
    return MissingInformation(values, vectors, complete, missing, basis)
